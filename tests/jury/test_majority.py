"""Tiny tables whose answers are worked out by hand."""

import pytest

from jury.majority import CONTESTED, SETTLED, TOO_FEW, Ballot, of_sets, of_values


@pytest.mark.parametrize(
    ("votes", "unsure", "quorum", "state", "winner", "confidence", "agreement"),
    [
        # votes, unsure, quorum → state, winner, share for it, agreeing pairs of all pairs
        ("aab", 0, 2, SETTLED, "a", 2 / 3, 1 / 3),
        ("aaa", 0, 2, SETTLED, "a", 1.0, 1.0),
        ("ab", 0, 2, CONTESTED, None, None, 0.0),
        ("aabb", 0, 2, CONTESTED, None, None, 2 / 6),
        ("aabc", 0, 2, CONTESTED, None, None, 1 / 6),
        ("aaabc", 0, 2, SETTLED, "a", 3 / 5, 3 / 10),
        ("a", 0, 2, TOO_FEW, None, None, None),
        ("a", 0, 1, SETTLED, "a", 1.0, None),
        ("aa", 0, 3, TOO_FEW, None, None, 1.0),
        # Unsure votes neither reach the quorum nor stand against the majority.
        ("a", 1, 2, TOO_FEW, None, None, None),
        ("aa", 3, 2, SETTLED, "a", 1.0, 1.0),
        ("", 2, 2, CONTESTED, None, None, None),
        ("", 0, 2, TOO_FEW, None, None, None),
    ],
)
def test_a_value_needs_a_quorum_and_more_than_half(
    votes: str, unsure: int, quorum: int, state: str, winner: str | None, confidence: float, agreement: float
) -> None:
    outcome = of_values(list(votes), unsure, quorum)
    assert (outcome.state, outcome.winner) == (state, winner)
    assert outcome.confidence == pytest.approx(confidence)
    assert outcome.agreement == pytest.approx(agreement)


def test_the_order_of_votes_decides_nothing() -> None:
    assert of_values(list("abab"), 0, 2) == of_values(list("bbaa"), 0, 2)
    assert of_values(list("baa"), 0, 2) == of_values(list("aab"), 0, 2)


def ballots(*named: str, could: str | None = None) -> list[Ballot]:
    return [Ballot(frozenset(each), None if could is None else frozenset(could)) for each in named]


@pytest.mark.parametrize(
    ("given", "state", "winner"),
    [
        (ballots("xy", "x", "xy"), SETTLED, "xy"),
        (ballots("x", "x", "xy"), SETTLED, "x"),
        (ballots("x", "", ""), SETTLED, ""),
        (ballots("", ""), SETTLED, ""),
        # y is named by one of two: a tie on one element is enough.
        (ballots("xy", "x"), CONTESTED, None),
        # Everybody named something, nobody the same: "none" would be nobody's opinion.
        (ballots("x", "y", "z"), CONTESTED, None),
        (ballots("x"), TOO_FEW, None),
        ([], TOO_FEW, None),
    ],
)
def test_a_set_is_settled_element_by_element(given: list[Ballot], state: str, winner: str | None) -> None:
    outcome = of_sets(given, 0, 2)
    assert outcome.state == state
    assert outcome.winner == (None if winner is None else frozenset(winner))


def test_silence_about_what_a_voter_cannot_name_is_no_vote_against_it() -> None:
    # x: two of the two who could; without the rule, two of four, a tie.
    given = ballots("x", "x") + ballots("", "", could="y")
    assert of_sets(given, 0, 2).winner == frozenset("x")
    assert of_sets(ballots("x", "x", "", ""), 0, 2).state == CONTESTED


def test_an_element_that_only_one_voter_could_name_lacks_its_quorum() -> None:
    given = ballots("x", could="x") + ballots("", "", could="y")
    assert of_sets(given, 0, 2).state == TOO_FEW


def test_confidence_of_a_set_is_that_of_its_least_certain_element() -> None:
    # x by 3 of 3, y by 2 of 3, z by 1 of 3: shares 1, 2/3 and 2/3; pairs agree in 3, 1 and 1 of 3.
    outcome = of_sets(ballots("xy", "xyz", "x"), 0, 2)
    assert outcome.winner == frozenset("xy")
    assert outcome.confidence == pytest.approx(2 / 3)
    assert outcome.agreement == pytest.approx((1 + 1 / 3 + 1 / 3) / 3)


def test_only_unsure_voters_make_a_set_contested() -> None:
    assert of_sets([], 2, 2).state == CONTESTED
