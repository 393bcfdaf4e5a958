"""SQL over what people and jurors said: one row a vote and question, the majorities, and where they part.

A filter finds by the same text what a figure counts. Votes are those of `Annotation.objects.votes()`; "unsure"
and what a voter was not asked are left out, as weighing does.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import BooleanField, F, Func, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.module_loading import import_string

from annotate.answers import UNSURE
from annotate.models import Exposure, Project, Question
from annotate.models.project import QuestionKind

ONE_VALUE = (QuestionKind.CHOICE, QuestionKind.SCALE)
COMPARED = (*ONE_VALUE, QuestionKind.CATEGORIES, QuestionKind.TURNS)
# What the table of `cells` is called in the texts below.
CELLS = "said_cells"
NO_VOTE = f"('{Exposure.ADJUDICATION.value}', '{Exposure.POST_REVEAL.value}')"


@dataclass(frozen=True, slots=True)
class Sql:
    text: str
    params: tuple[Any, ...] = ()


class OfItem(Func):
    """A condition in SQL on the item that a query is about; {item} in the text stands for its id."""

    def __init__(self, text: str, params: tuple[Any, ...]) -> None:
        super().__init__(F("pk"), output_field=BooleanField())
        self.text, self.params = text, params

    def as_sql(self, compiler: Any, connection: Any, *_more: Any, **_named: Any) -> tuple[str, tuple[Any, ...]]:
        item, _ = compiler.compile(self.source_expressions[0])
        return self.text.replace("{item}", item), self.params


def is_vote(row: str) -> str:
    """The condition under which a row of annotations, under this alias, is one of `votes()`."""
    return f"""{row}.repeat = 0 AND {row}.exposure NOT IN {NO_VOTE} AND NOT EXISTS (
        SELECT 1 FROM annotate_annotation newer
        WHERE newer.item_id = {row}.item_id AND newer.annotator_id = {row}.annotator_id
          AND newer.part = {row}.part AND newer.repeat = 0 AND newer.exposure NOT IN {NO_VOTE}
          AND (newer.revision, newer.id) > ({row}.revision, {row}.id))"""


def answered(row: str, question: Question) -> Sql:
    """Whether the answers of this row give the question a value, and led to it if it has a condition."""
    value = f"({row}.answers -> %s::text)"
    text = f"{value} NOT IN ('null'::jsonb, %s::jsonb)"
    params: list[Any] = [question.code, json.dumps(UNSURE)]
    if question.condition:
        gates = [str(gate["question"]) for gate in question.condition]
        absent = " AND ".join([f"coalesce({value}, 'null') = 'null'::jsonb"] * len(gates))
        holds = " OR ".join([f"{value} = %s::jsonb"] * len(gates))
        text += f" AND (({absent}) OR {holds})"
        params += gates
        for gate in question.condition:
            params += [str(gate["question"]), json.dumps(gate["is"])]
    return Sql(f"({text})", tuple(params))


def said_by_people(project: Project, questions: Iterable[Question]) -> Sql:
    """Rows (item_id, part, code, voter, value, covered) of the people's votes on items to be labelled."""
    rows = f"""
        SELECT vote.item_id, vote.part, vote.answers, vote.annotator_id AS voter, NULL::jsonb AS covered
        FROM annotate_annotation vote JOIN annotate_item item ON item.id = vote.item_id
        WHERE item.project_id = %s AND item.purpose = '' AND {is_vote("vote")}"""
    return _by_question(Sql(rows, (project.pk,)), questions)


def said_by_jury(project: Project, questions: Iterable[Question]) -> Sql:
    """The same of the jurors' newest verdicts; `covered` is null, or the categories that a juror can name."""
    find: Callable[[Project], QuerySet[Any]] = import_string(settings.JUROR_VERDICTS)
    text, params = find(project).query.sql_with_params()
    rows = f"""
        SELECT vote.item_id, vote.part, vote.answers, vote.juror_id AS voter, vote.covered_categories AS covered
        FROM ({text}) vote JOIN annotate_item item ON item.id = vote.item_id
        WHERE item.purpose = '' AND vote.answers IS NOT NULL"""
    return _by_question(Sql(rows, params), questions)


def _by_question(votes: Sql, questions: Iterable[Question]) -> Sql:
    """Each voter's answers as a row for each question that they gave a value to."""
    values, params = [], []
    for question in questions:
        given = answered("vote", question)
        values.append(f"(%s::text, CASE WHEN {given.text} THEN vote.answers -> %s::text END)")
        params += [question.code, *given.params, question.code]
    if not values:
        values = ["('', NULL::jsonb)"]
    text = f"""(
        SELECT vote.item_id, vote.part, answer.code, vote.voter, answer.value, vote.covered
        FROM ({votes.text}) vote CROSS JOIN LATERAL (VALUES {", ".join(values)}) AS answer (code, value)
        WHERE answer.value IS NOT NULL)"""
    # The votes' own parameters stand first in the text.
    return Sql(text, (*votes.params, *params))


# The elements of a set; none of a single value.
ELEMENTS = "jsonb_array_elements_text(CASE jsonb_typeof(value) WHEN 'array' THEN value ELSE '[]' END)"


def cells(project: Project, questions: Iterable[Question]) -> Sql:
    """A row for each item, part and question that anybody answered: item_id, part, code, people, jury, covered.

    `people` and `jury` are arrays of the values given, null where there are none; `covered` is parallel to
    `jury`. All further counting works inside such a row: joins over the votes of a whole project are planned
    badly, since nothing is known of how they spread.
    """
    asked = list(questions)
    people, jury = said_by_people(project, asked), said_by_jury(project, asked)
    text = f"""(
        SELECT item_id, part, code,
            array_agg(value) FILTER (WHERE NOT by_jury) AS people,
            array_agg(value) FILTER (WHERE by_jury) AS jury,
            array_agg(covered) FILTER (WHERE by_jury) AS covered
        FROM (SELECT *, false AS by_jury FROM {people.text} ours
              UNION ALL SELECT *, true FROM {jury.text} theirs) votes
        GROUP BY item_id, part, code)"""
    return Sql(text, (*people.params, *jury.params))


def most(side: str) -> str:
    """The value that more than half of a cell's people, or jury, gave; null where none did."""
    return f"""CASE WHEN {side}[1] = ALL ({side}) THEN {side}[1] ELSE (
        SELECT value FROM unnest({side}) AS votes (value)
        GROUP BY value HAVING 2 * count(*) > cardinality({side})) END"""


# Rows (item_id, code, people, jury): both majorities' values.
MAJORITIES = f"""(
    SELECT item_id, code, {most("people")} AS people, {most("jury")} AS jury FROM {CELLS} cells
    WHERE jsonb_typeof(coalesce(people[1], jury[1])) NOT IN ('array', 'object'))"""
# Rows (item_id, code, element, side): most of this side name the element, and of those of the other side who
# could name it fewer than half do.
ONE_SIDED = f"""(
    SELECT item_id, code, element, CASE WHEN 2 * ours > our_voters THEN 'people' ELSE 'jury' END AS side
    FROM {CELLS} cells CROSS JOIN LATERAL (
        SELECT named.element, cardinality(people) AS our_voters,
            (SELECT count(*) FROM unnest(people) AS votes (value) WHERE value ? named.element) AS ours,
            (SELECT count(*) FROM unnest(jury, covered) AS votes (value, could)
             WHERE (could IS NULL OR could ? named.element) AND value ? named.element) AS theirs,
            (SELECT count(*) FROM unnest(covered) AS votes (could)
             WHERE could IS NULL OR could ? named.element) AS their_voters
        FROM (SELECT DISTINCT element FROM unnest(people || jury) AS votes (value)
              CROSS JOIN LATERAL {ELEMENTS} AS elements (element)) named) counted
    WHERE jsonb_typeof(people[1]) = 'array' AND jsonb_typeof(jury[1]) = 'array'
      AND NOT people[1] = ALL (people || jury)
      AND (2 * ours > our_voters AND 2 * theirs < their_voters
           OR 2 * ours < our_voters AND 2 * theirs > their_voters))"""


def parted(majorities: str = MAJORITIES, one_sided: str = ONE_SIDED) -> str:
    """Rows (item_id, code) where the people's majority and the jury's differ, in the value or in an element."""
    return f"""(
    SELECT item_id, code FROM {majorities} majorities WHERE people <> jury
    UNION SELECT item_id, code FROM {one_sided} one_sided)"""


def items_where(project: Project, questions: Iterable[Question], query: str, *params: Any) -> RawSQL:
    """The ids of items by a query over CELLS, for `pk__in`."""
    found = cells(project, questions)
    return RawSQL(f"WITH {CELLS} AS MATERIALIZED {found.text} {query}", (*found.params, *params))


def people_split(questions: Iterable[Question]) -> OfItem:
    """Whether two people gave an item different values to any of these questions (sets differ as sets)."""
    differ, params = [], []
    for question in questions:
        one, other = answered("one", question), answered("other", question)
        mine, theirs = "(one.answers -> %s::text)", "(other.answers -> %s::text)"
        differ.append(f"({one.text} AND {other.text} AND NOT ({mine} @> {theirs} AND {theirs} @> {mine}))")
        params += [*one.params, *other.params, *[question.code] * 4]
    return OfItem(_two_votes(" OR ".join(differ) or "false"), tuple(params))


def confused(questions: Iterable[Question], first: str, second: str) -> OfItem:
    """Whether of two people one named only the first category and the other only the second."""
    found, params = [], []
    for question in questions:
        one, other = answered("one", question), answered("other", question)
        tests = "one.answers -> %s::text ? %s::text AND NOT one.answers -> %s::text ? %s::text"
        found.append(f"({one.text} AND {other.text} AND {tests} AND {tests.replace('one.', 'other.')})")
        code = question.code
        params += [*one.params, *other.params, code, first, code, second, code, second, code, first]
    text = _two_votes(" OR ".join(found) or "false", pairs="<>")
    return OfItem(text, tuple(params))


def _two_votes(condition: str, pairs: str = "<") -> str:
    return f"""EXISTS (
        SELECT 1 FROM annotate_annotation one
        JOIN annotate_annotation other ON other.item_id = one.item_id AND other.part = one.part
            AND one.annotator_id {pairs} other.annotator_id
        WHERE one.item_id = {{item}} AND ({condition}) AND {is_vote("one")} AND {is_vote("other")})"""


def named_by_somebody(questions: Iterable[Question], codes: Iterable[str]) -> OfItem:
    """Whether anybody's vote on an item names one of these categories."""
    tests, params = [], []
    listed = sorted(codes)
    for question in questions:
        given = answered("vote", question)
        tests.append(f"({given.text} AND vote.answers -> %s::text ?| %s::text[])")
        params += [*given.params, question.code, listed]
    text = f"""EXISTS (SELECT 1 FROM annotate_annotation vote
        WHERE vote.item_id = {{item}} AND ({" OR ".join(tests) or "false"}) AND {is_vote("vote")})"""
    return OfItem(text, tuple(params))
