"""Weigh the votes: people's judgements and jurors' verdicts become labels of record, by majority and quorum."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from annotate.answers import UNSURE, AskedQuestion
from annotate.models import Exposure, Item, Label, Project, Purpose
from annotate.suspect import note_suspicions
from jury import majority
from jury.majority import Ballot, Outcome
from jury.votes import Ballots, Cell, Cells, Vote, ballots_of, vote_key
from jury.write_labels import LabelRow, write_labels

RULED_KINDS = ("choice", "scale", "categories", "turns")
SET_KINDS = ("categories", "turns")
BATCH = 5_000


@dataclass(slots=True)
class QuestionSummary:
    """How one question's labels of record stand. `values` counts settled labels, by element for sets."""

    question: str
    items: int = 0
    settled: int = 0
    contested: int = 0
    too_few: int = 0
    values: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    note: str = ""


def weigh(project: Project, *, stale_only: bool = False) -> list[QuestionSummary]:
    """Write the labels of record of the project's items, or of those whose votes changed since.

    Each batch is a transaction of its own, one at a time in a project. A vote that arrives meanwhile leaves
    its item stale, so the next weighing counts it. Adjudications decide over all votes.
    """
    for item_ids in _batches(project, stale_only):
        with transaction.atomic():
            _wait_for_turn(project)
            _clear_stale(item_ids)
            ballots = ballots_of(project)
            found = ballots.of(item_ids)
            # Items with known answers are there to check people; they get no label of record.
            asked = set(Item.objects.filter(pk__in=item_ids, purpose=Purpose.LABEL).values_list("pk", flat=True))
            labelled = ((item, cells) for item, cells in found.items() if item in asked)
            rows = [row for item, cells in labelled for row in _labels_of(item, cells, ballots)]
            write_labels(rows, item_ids, project)
            note_suspicions({item: _named_by_jurors(found.get(item, {}), ballots) for item in item_ids})
    return summary(project)


def _batches(project: Project, stale_only: bool) -> Iterator[list[int]]:
    items = Item.objects.filter(project=project).order_by("id")
    if stale_only:
        items = items.filter(labels_stale=True)
    last = 0
    while item_ids := list(items.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        yield item_ids
        last = item_ids[-1]


def _wait_for_turn(project: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('jurybox weigh'), %s)", [project.pk])


def _clear_stale(item_ids: Sequence[int]) -> None:
    """Before the votes are read: whoever votes from now on waits for our commit and marks the item again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH stale AS (
                SELECT id FROM annotate_item WHERE id = ANY(%s) AND labels_stale ORDER BY id FOR NO KEY UPDATE)
            UPDATE annotate_item item SET labels_stale = false FROM stale WHERE item.id = stale.id
            """,
            [list(item_ids)],
        )


def _named_by_jurors(cells: Cells, ballots: Ballots) -> set[str]:
    """The categories that any juror named for the item, whatever its label says."""
    return {
        code
        for (_, question), cell in cells.items()
        if ballots.questions[question].kind == "categories"
        for vote in cell.jury
        for code in _listed(vote)
    }


def _labels_of(item_id: int, cells: Cells, ballots: Ballots) -> Iterator[LabelRow]:
    # A reviewer decides a part as a whole: what the decision leaves out has no label.
    reviewed = {part for (part, _), cell in cells.items() if cell.adjudication is not None}
    decided = {
        (part, code): _decide(cell, ballots.questions[code], ballots.project)
        for (part, code), cell in cells.items()
        if cell.adjudication is not None or (part not in reviewed and ballots.questions[code].kind in RULED_KINDS)
    }
    for (part, code), row in decided.items():
        if not row.votes:
            continue
        # A question that the settled answers don't lead to has no label, unless a reviewer gave it one.
        if _leads_to(part, code, decided, ballots) or row.source == Label.Source.ADJUDICATION:
            row.item_id, row.part, row.question = item_id, part, code
            yield row


def _leads_to(
    part: str,
    code: str,
    decided: dict[tuple[str, str], LabelRow],
    ballots: Ballots,
    below: frozenset[str] = frozenset(),
) -> bool:
    """Whether the decided answers, each of a question that is asked itself, lead to this question."""
    if code in below:
        return True
    gates = [c for c in ballots.questions[code].condition if (part, str(c["question"])) in decided]
    return not gates or any(
        vote_key(decided[part, str(c["question"])].value) == vote_key(c["is"])
        and _leads_to(part, str(c["question"]), decided, ballots, below | {code})
        for c in gates
    )


def _decide(cell: Cell, question: AskedQuestion, project: Project) -> LabelRow:
    if cell.adjudication is not None:
        decision = cell.adjudication
        return LabelRow(majority.SETTLED, decision.value, Label.Source.ADJUDICATION, 1.0, None, [decision])
    votes = deciding_votes(cell, project)
    outcome = outcome_of(votes, question.kind, project.quorum)
    row = LabelRow(outcome.state, outcome.winner, _source(votes), outcome.confidence, outcome.agreement, votes)
    if votes and outcome.state == majority.CONTESTED:
        row.others = [vote for vote in cell.people + cell.jury if vote not in votes]
    return row


def _source(votes: Sequence[Vote]) -> str:
    if any(vote.origin == "verdict" for vote in votes):
        return Label.Source.JURY
    if any(vote.exposure == Exposure.ASSISTED for vote in votes):
        return Label.Source.HUMAN_ASSISTED
    return Label.Source.HUMAN_VOTE


def deciding_votes(cell: Cell, project: Project) -> list[Vote]:
    """The votes that count under the project's voters policy, unsure ones with them."""
    match project.voters:
        case Project.Voters.POOLED:
            return cell.people + cell.jury
        case Project.Voters.PEOPLE:
            return cell.people
        case Project.Voters.JURY:
            return cell.jury
    if _valid(cell.people) >= project.quorum:
        return cell.people
    return cell.jury if _valid(cell.jury) >= project.quorum or not cell.people else cell.people


def _valid(votes: Sequence[Vote]) -> int:
    return sum(vote.value != UNSURE for vote in votes)


def outcome_of(votes: Sequence[Vote], kind: str, quorum: int) -> Outcome:
    """The majority of the votes on a question of this kind; the winner is a value, or a sorted list."""
    valid = [vote for vote in votes if vote.value != UNSURE]
    unsure = len(votes) - len(valid)
    winner: Any
    if kind == "turns" and any(isinstance(vote.value, dict) for vote in valid):
        return _outcome_of_turns(valid, unsure, quorum)
    if kind in SET_KINDS:
        outcome = majority.of_sets(
            [Ballot(frozenset(_listed(vote)), vote.covered) for vote in valid], unsure, quorum
        )
        winner = None if outcome.winner is None else sorted(outcome.winner)  # type: ignore[call-overload]
    else:
        values = {vote_key(vote.value): vote.value for vote in valid}
        outcome = majority.of_values([vote_key(vote.value) for vote in valid], unsure, quorum)
        winner = None if outcome.winner is None else values[str(outcome.winner)]
    return Outcome(outcome.state, winner, outcome.confidence, outcome.agreement)


def _outcome_of_turns(valid: Sequence[Vote], unsure: int, quorum: int) -> Outcome:
    """The majority on an option for each turn, by (turn, option); a turn that most voters gave one and none
    of whose options wins is contested."""
    named = [vote.value if isinstance(vote.value, dict) else {} for vote in valid]
    pairs = [{(turn, vote_key(option)): option for turn, option in turns.items()} for turns in named]
    options = {pair: option for chosen in pairs for pair, option in chosen.items()}
    outcome = majority.of_sets([Ballot(frozenset(chosen)) for chosen in pairs], unsure, quorum)
    if outcome.state != majority.SETTLED:
        return outcome
    won = [pair for pair in options if pair in outcome.winner]  # type: ignore[operator]
    winner = {turn: options[turn, key] for turn, key in sorted(won, key=lambda pair: int(pair[0]))}
    voters = Counter(turn for turns in named for turn in turns)
    if any(2 * count > len(valid) and turn not in winner for turn, count in voters.items()):
        return Outcome(majority.CONTESTED, agreement=outcome.agreement)
    return Outcome(majority.SETTLED, winner, outcome.confidence, outcome.agreement)


def _listed(vote: Vote) -> list[Any]:
    return vote.value if isinstance(vote.value, list) else []


def summary(project: Project) -> list[QuestionSummary]:
    """How the project's labels of record stand, one entry a question, in the questions' order (two queries)."""
    questions = list(project.questions.all())
    labels = Label.objects.filter(question__project=project)
    states = labels.values_list("question_id", "state", "source").annotate(n=Count("id")).order_by()
    values = (
        labels.filter(state=Label.State.SETTLED)
        .values_list("question_id", "value")
        .annotate(n=Count("id"))
        .order_by()
    )
    found = {question.pk: QuestionSummary(question.code) for question in questions}
    for question_id, state, source, n in states:
        entry = found[question_id]
        entry.items += n
        setattr(entry, state, getattr(entry, state) + n)
        entry.sources[source] = entry.sources.get(source, 0) + n
    counted: dict[int, Counter[str]] = {question.pk: Counter() for question in questions}
    for question_id, value, n in values:
        for element in value if isinstance(value, list) else _turn_labels(value):
            counted[question_id][element if isinstance(element, str) else json.dumps(element)] += n
    for question in questions:
        found[question.pk].values = dict(counted[question.pk].most_common())
        if question.kind not in RULED_KINDS:
            found[question.pk].note = "no rule for this kind"
    return [found[question.pk] for question in questions]


def _turn_labels(value: Any) -> list[Any]:
    """The options of a label that has one for each turn; any other value by itself."""
    return list(value.values()) if isinstance(value, dict) else [value]


def as_json(entries: Sequence[QuestionSummary]) -> str:
    """The summary as a JSON list of objects."""
    return json.dumps([asdict(entry) for entry in entries], indent=2, ensure_ascii=False)
