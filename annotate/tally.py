"""Count over all votes and labels of a project, in SQL: what the board's figures are made of."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from annotate.models import Category, Project, Question
from annotate.models.project import QuestionKind
from annotate.said import (
    CELLS,
    COMPARED,
    ELEMENTS,
    MAJORITIES,
    ONE_SIDED,
    cells,
    parted,
)
from annotate.taxonomy import frozen_categories

PATTERNS = f"""
SELECT code, to_jsonb(people), count(*) FROM {CELLS} WHERE cardinality(people) > 1 GROUP BY code, people
"""
# How many of a cell's voters named a category or one below it: the parameter maps each code to those above it.
NAMED = f"""(
    SELECT item_id, code, category, yes, cardinality(people) AS voters
    FROM {CELLS} cells CROSS JOIN LATERAL (
        SELECT category, count(DISTINCT place) AS yes
        FROM unnest(people) WITH ORDINALITY AS votes (value, place)
        CROSS JOIN LATERAL {ELEMENTS} AS elements (element)
        CROSS JOIN LATERAL jsonb_array_elements_text(%s::jsonb -> element) AS above (category)
        GROUP BY category) named
    WHERE jsonb_typeof(people[1]) = 'array')"""
NAMED_ITEMS = "SELECT code, category, count(DISTINCT item_id) FROM said_named GROUP BY code, category"
NAMED_VOTES = f"""
SELECT code, category, yes, voters, count(*) FROM said_named GROUP BY code, category, yes, voters
UNION ALL
SELECT code, NULL, 0, cardinality(people), count(*) FROM {CELLS}
WHERE jsonb_typeof(people[1]) = 'array' GROUP BY code, cardinality(people)
"""
SETS_THAT_DIFFER = f"""
SELECT code, item_id, to_jsonb(people) FROM {CELLS}
WHERE jsonb_typeof(people[1]) = 'array'
    AND (SELECT count(DISTINCT value) FROM unnest(people) AS votes (value)) > 1
"""
# Sets differ as sets; whoever differs from another differs from the first or the first from that one.
SPLIT = f"""
SELECT code, count(DISTINCT item_id) FROM {CELLS}
WHERE NOT people[1] = ALL (people) AND EXISTS (
    SELECT 1 FROM unnest(people) AS votes (value) WHERE NOT (value @> people[1] AND people[1] @> value))
GROUP BY code
"""
LABELS = """
SELECT question.code, label.state, count(DISTINCT label.item_id)
FROM annotate_label label JOIN annotate_question question ON question.id = label.question_id
JOIN annotate_item item ON item.id = label.item_id
WHERE label.question_id = ANY(%s) AND item.purpose = ''
GROUP BY question.code, label.state
"""
LABEL_VALUES = """
SELECT question.code, label.value::text, count(DISTINCT label.item_id)
FROM annotate_label label JOIN annotate_question question ON question.id = label.question_id
JOIN annotate_item item ON item.id = label.item_id
WHERE label.question_id = ANY(%s) AND item.purpose = '' AND label.state = 'settled'
    AND jsonb_typeof(label.value) NOT IN ('array', 'object')
GROUP BY question.code, label.value
"""
CATEGORIES = f"""
SELECT category, count(DISTINCT label.item_id)
FROM annotate_label label JOIN annotate_item item ON item.id = label.item_id
CROSS JOIN LATERAL {ELEMENTS} AS elements (element)
CROSS JOIN LATERAL jsonb_array_elements_text(%s::jsonb -> element) AS above (category)
WHERE label.question_id = ANY(%s) AND label.state = 'settled' AND item.purpose = ''
GROUP BY category
"""


@dataclass(slots=True)
class Tally:
    """Numbers of items by question code, unless said otherwise.

    Attributes:
        patterns: which values all voters of a cell gave, and how many cells (items, or parts) show them.
        presence: by question and category, cells by (voters who named it, all voters).
        named: by question and category, items where anybody named it or one below it.
        sets: by question, (item, the different sets of categories that its annotators named).
        majorities: by question, items by (people's value, jury's value), as JSON text.
        only: by question, ("people" or "jury", category) to items where only that side's majority names it.
        split: items on which two people differ.
        parted: items where the two majorities differ.
        met: the questions that people and jury both answered on some item.
    """

    patterns: dict[str, list[tuple[list[Any], int]]] = field(default_factory=dict)
    presence: dict[tuple[str, str], dict[tuple[int, int], int]] = field(default_factory=dict)
    named: dict[tuple[str, str], int] = field(default_factory=dict)
    sets: dict[str, list[tuple[int, list[list[str]]]]] = field(default_factory=dict)
    majorities: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)
    only: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)
    split: dict[str, int] = field(default_factory=dict)
    parted: dict[str, int] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)


def tally(project: Project) -> Tally:
    """Read the votes once into a temporary table, then count over it. About twenty statements."""
    questions = [question for question in project.asked_questions if question.kind in COMPARED]
    found = Tally()
    with _counting(project, questions) as cursor:
        for code, values, items in _rows(cursor, PATTERNS):
            found.patterns.setdefault(code, []).append((json.loads(values), items))
        for code, category, items in _rows(cursor, NAMED_ITEMS):
            found.named[code, category] = items
        found.split = dict(_rows(cursor, SPLIT))
        _presence(cursor, found)
        for code, item, sets in _rows(cursor, SETS_THAT_DIFFER):
            found.sets.setdefault(code, []).append((item, json.loads(sets)))
        _two_sides(cursor, found)
    return found


@contextmanager
def _counting(project: Project, questions: list[Question]) -> Iterator[CursorWrapper]:
    """A cursor that knows the table CELLS, and what is counted from it more than once."""
    found = cells(project, questions)
    with transaction.atomic(), connection.cursor() as cursor:
        # Sorting and grouping all votes fits in memory then; it ends with the transaction.
        cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL jit = off")
        _keep(cursor, CELLS, found.text, *found.params)
        _keep(cursor, "said_named", NAMED, _upward(categories_of(project)))
        _keep(cursor, "said_majorities", MAJORITIES)
        _keep(cursor, "said_one_sided", ONE_SIDED)
        yield cursor
        cursor.execute(f"DROP TABLE {CELLS}, said_named, said_majorities, said_one_sided")


def _keep(cursor: CursorWrapper, table: str, rows: str, *params: Any) -> None:
    cursor.execute(f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS SELECT * FROM {rows} kept", params)
    cursor.execute(f"ANALYZE {table}")


def _rows(cursor: CursorWrapper, text: str, *params: Any) -> list[tuple[Any, ...]]:
    cursor.execute(text, params)
    return cursor.fetchall()


def _presence(cursor: CursorWrapper, found: Tally) -> None:
    """Cells where nobody named a category are all cells with as many voters, less those where somebody did."""
    judged: dict[str, dict[int, int]] = {}
    for code, category, yes, voters, count in _rows(cursor, NAMED_VOTES):
        if category is None:
            judged.setdefault(code, {})[voters] = count
        else:
            found.presence.setdefault((code, category), {})[yes, voters] = count
    for (code, _category), named in found.presence.items():
        somebody: dict[int, int] = {}
        for (_yes, voters), count in named.items():
            somebody[voters] = somebody.get(voters, 0) + count
        for voters, count in judged[code].items():
            if nobody := count - somebody.get(voters, 0):
                named[0, voters] = nobody


def _two_sides(cursor: CursorWrapper, found: Tally) -> None:
    both = "WHERE people IS NOT NULL AND jury IS NOT NULL GROUP BY code, people, jury"
    text = f"SELECT code, people::text, jury::text, count(DISTINCT item_id) FROM said_majorities {both}"
    for code, people, jury, items in _rows(cursor, text):
        found.majorities.setdefault(code, {})[people, jury] = items
    text = "SELECT code, side, element, count(DISTINCT item_id) FROM said_one_sided GROUP BY 1, 2, 3"
    for code, side, element, items in _rows(cursor, text):
        found.only.setdefault(code, {})[side, element] = items
    differ = parted("said_majorities", "said_one_sided")
    found.parted = dict(_rows(cursor, f"SELECT code, count(DISTINCT item_id) FROM {differ} parted GROUP BY code"))
    met = f"SELECT DISTINCT code FROM {CELLS} WHERE people IS NOT NULL AND jury IS NOT NULL"
    found.met = {code for (code,) in _rows(cursor, met)}


def categories_of(project: Project) -> tuple[Category, ...]:
    return frozen_categories(project.taxonomy_version_id) if project.taxonomy_version_id else ()


def _upward(categories: tuple[Category, ...]) -> str:
    """Each code with itself and all categories above it, as a JSON object."""
    parents = {category.code: category.parents for category in categories}
    found: dict[str, list[str]] = {}
    for code in parents:
        above: set[str] = set()
        waiting = [code]
        while waiting:
            next_up = waiting.pop()
            if next_up not in above:
                above.add(next_up)
                waiting.extend(parents.get(next_up, ()))
        found[code] = sorted(above)
    return json.dumps(found)


@dataclass(slots=True)
class LabelTally:
    """Items by (question code, state), by (question code, value as JSON text) and by category."""

    states: dict[tuple[str, str], int] = field(default_factory=dict)
    values: dict[tuple[str, str], int] = field(default_factory=dict)
    categories: dict[str, int] = field(default_factory=dict)


def tally_labels(project: Project) -> LabelTally:
    """How the labels of record stand; settled values, and settled categories with those above them."""
    questions = [question for question in project.asked_questions if question.kind in COMPARED]
    found = LabelTally()
    asked = [question.pk for question in questions]
    listed = [question.pk for question in questions if question.kind == QuestionKind.CATEGORIES]
    with connection.cursor() as cursor:
        for code, state, items in _rows(cursor, LABELS, asked):
            found.states[code, state] = items
        for code, value, items in _rows(cursor, LABEL_VALUES, asked):
            found.values[code, value] = items
        found.categories = dict(_rows(cursor, CATEGORIES, _upward(categories_of(project)), listed))
    return found
