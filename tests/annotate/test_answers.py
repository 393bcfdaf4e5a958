"""The answer contract: what it takes, what it refuses, and that types are never merged."""

import pytest

from annotate.answers import AskedQuestion, Contract, value_key
from annotate.errors import BadAnswers

HARM = AskedQuestion("harm", "choice", ("safe", "unsafe"), part="prompt")
REPLY = AskedQuestion("reply", "choice", ("refusal", "compliance"), part="response")
HAZARDS = AskedQuestion("hazards", "categories", condition=({"question": "harm", "is": "unsafe"},))
GRADE = AskedQuestion("grade", "scale", (1, 2, 3), required=False)
SPANS = AskedQuestion("spans", "spans", required=False)
TURNS = AskedQuestion("turns", "turns", required=False)
EACH = AskedQuestion("each", "turns", ("safe", "unsafe", 1), required=False)
CONTRACT = Contract((HARM, REPLY, HAZARDS, GRADE, SPANS, TURNS, EACH), frozenset({"fraud", "violence"}))
DIALOGUE = {"turns": [{"role": "user", "text": "ab"}, {"role": "bot", "text": "🙂"}]}
PROMPT = {"prompt": "naïve 🙂 text"}


def check(answers, content=PROMPT, kind="prompt", **more):
    return CONTRACT.check(answers, content, kind, **more)


def test_absent_stays_absent():
    assert check({"harm": "safe", "grade": None}) == {"harm": "safe"}


def test_unsure_is_an_answer_everywhere_but_never_an_absent_one():
    assert check({"harm": "unsure"}) == {"harm": "unsure"}


def test_a_hazard_is_asked_only_of_the_unsafe():
    assert check({"harm": "unsafe", "hazards": ["fraud"]})
    with pytest.raises(BadAnswers, match="hazards: an answer is needed"):
        check({"harm": "unsafe"})
    with pytest.raises(BadAnswers, match="hazards: this question is not asked"):
        check({"harm": "safe", "hazards": ["fraud"]})


def test_a_response_is_asked_about_only_where_there_is_one():
    assert check({"harm": "safe"})
    with pytest.raises(BadAnswers, match="reply: an answer is needed"):
        check({"harm": "safe"}, {"prompt": "a", "response": "b"}, "pair")


@pytest.mark.parametrize("value", ["2", 2.0, True, "two", [2], {"v": 2}])
def test_an_option_of_another_type_is_refused(value):
    with pytest.raises(BadAnswers, match="grade"):
        check({"harm": "safe", "grade": value})


def test_values_that_look_alike_have_different_keys():
    assert len({value_key(value) for value in (1, 1.0, "1", True, "1.0")}) == 5


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"harm": "dangerous"}, '"dangerous" is not one of "safe", "unsafe"'),
        ({"harm": ["safe"]}, "is not one of"),
        ({"harm": "unsafe", "hazards": "fraud"}, "must be a list"),
        ({"harm": "unsafe", "hazards": ["fraud", "fraud"]}, "twice"),
        ({"harm": "unsafe", "hazards": ["theft"]}, '"theft" is not a category'),
        ({"harm": "safe", "mood": 1}, "mood: there is no such question"),
        ({"harm": "safe", "spans": [{"start": 3, "end": 3}]}, "0 <= start < end"),
        ({"harm": "safe", "spans": [{"start": 0, "end": 13}]}, "beyond the text"),
        ({"harm": "safe", "spans": [{"start": True, "end": 3}]}, "0 <= start < end"),
        ({"harm": "safe", "spans": [{"start": 0, "end": 2, "x": 1}]}, "each span needs"),
    ],
)
def test_refusals_name_the_question_and_the_fault(answers, problem):
    with pytest.raises(BadAnswers, match=problem.replace("[", r"\[")):
        check(answers)


def test_spans_count_code_points_not_bytes_or_utf16():
    assert check({"harm": "safe", "spans": [{"start": 0, "end": 12}]})


@pytest.mark.parametrize(
    ("span", "content", "kind"),
    [
        ({"start": 1, "end": 2}, {"text": "ab"}, "text"),
        ({"start": 1, "end": 2, "part": "text"}, {"prompt": "ab"}, "prompt"),
        ({"start": 1, "end": 3, "part": "response"}, {"prompt": "a", "response": "abc"}, "pair"),
        ({"start": 0, "end": 1, "part": "turn 1"}, DIALOGUE, "dialogue"),
        ({"start": 0, "end": 99, "part": "turn 9"}, {}, "reference"),
    ],
)
def test_spans_lie_in_the_part_that_they_name(span, content, kind):
    assert check({"spans": [span]}, content, kind, partial=True)


@pytest.mark.parametrize(
    ("span", "content", "problem"),
    [
        ({"start": 0, "end": 2, "part": "turn 1"}, DIALOGUE, "beyond the text"),
        ({"start": 0, "end": 1, "part": "turn 2"}, DIALOGUE, 'names "turn 2", which the item has not'),
        ({"start": 0, "end": 1, "part": "turn 01"}, DIALOGUE, "which the item has not"),
        ({"start": 0, "end": 1, "part": "turn -1"}, DIALOGUE, "which the item has not"),
        ({"start": 0, "end": 1, "part": "turns"}, DIALOGUE, "which the item has not"),
        ({"start": 0, "end": 1, "part": "response"}, PROMPT, "which the item has not"),
        ({"start": 0, "end": 1, "part": "turn 0"}, PROMPT, "which the item has not"),
    ],
)
def test_spans_of_other_parts_are_refused(span, content, problem):
    with pytest.raises(BadAnswers, match=problem):
        check({"spans": [span]}, content, "dialogue", partial=True)


def test_a_turn_may_be_given_an_option_each():
    for answer in ({"0": "unsafe", "1": 1}, {"1": "safe"}, "unsure"):
        assert check({"each": answer}, DIALOGUE, "dialogue", partial=True) == {"each": answer}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ([0], "must be an object of turn number to option"),
        ({"00": "safe"}, "must be an object of turn number to option"),
        ({"one": "safe"}, "must be an object of turn number to option"),
        ({"2": "safe"}, r"names a turn outside 0\.\.1"),
        ({"0": "1"}, "it has another type than 1"),
        ({"0": ["safe"]}, "is not one of"),
    ],
)
def test_an_option_of_a_turn_is_checked_as_any_other(answer, problem):
    with pytest.raises(BadAnswers, match=problem):
        check({"each": answer}, DIALOGUE, "dialogue", partial=True)


def test_turns_must_lie_in_the_dialogue():
    dialogue = {"turns": [{"role": "user", "text": "a"}, {"role": "bot", "text": "b"}]}
    assert check({"harm": "safe", "reply": "refusal", "turns": [1]}, dialogue, "dialogue")
    with pytest.raises(BadAnswers, match=r"turns: names a turn outside 0\.\.1"):
        check({"harm": "safe", "reply": "refusal", "turns": [2]}, dialogue, "dialogue")


def test_jurors_and_imports_may_answer_some_questions():
    assert check({"hazards": ["fraud"]}, partial=True) == {"hazards": ["fraud"]}
