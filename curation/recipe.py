"""Recipes: a YAML file that says what a mix is made of. Pure: no database, no Django."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from curation.errors import RecipeRefused

FORMATS = ("parquet", "jsonl")
LABEL_POLICIES = ("record", "human", "assisted", "jury", "none")
ITEM_FILTERS = ("kind", "lang", "source", "use", "id")
ITEM_CELLS = ("lang", "source", "kind")
SMALLEST = "smallest"
MAX_BYTES = 200_000
MAX_PER_CELL = 10**12
MAX_SEED = 2**63 - 1
SPLIT_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
QUOTES = "put words such as yes, no, on and dates in quotes"

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Keep items whose `key` is one of `values`; types count: 1, 1.0 and "1" are three values."""

    key: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    filters: tuple[Filter, ...] = ()
    exclude_blocked: bool = False
    labels: str = "record"
    balance: tuple[str, ...] = ()
    per_cell: int | str | None = None
    test_share: float = 0.1
    seed: int = 0
    formats: tuple[str, ...] = FORMATS
    split: str = "main"
    # The name of one of the project's saved filters, or the conditions of one.
    filter: str | dict[str, Any] = ""

    @property
    def label_filters(self) -> dict[str, tuple[Scalar, ...]]:
        """Question code to the values that are kept."""
        return {f.key.removeprefix("label."): f.values for f in self.filters if f.key.startswith("label.")}

    @property
    def balanced_questions(self) -> tuple[str, ...]:
        return tuple(key for key in self.balance if key not in ITEM_CELLS and not key.startswith("meta."))

    @property
    def meta_names(self) -> tuple[str, ...]:
        """The entries of `meta` that filters and cells look at, sorted."""
        keys = [*(f.key for f in self.filters), *self.balance]
        return tuple(sorted({key.removeprefix("meta.") for key in keys if key.startswith("meta.")}))

    def as_dict(self) -> dict[str, Any]:
        """The recipe in full, defaults written out, as manifests hold it."""
        filters: dict[str, Any] = {f.key: list(f.values) for f in self.filters}
        if self.exclude_blocked:
            filters["blocked"] = "exclude"
        return {
            "filters": filters,
            "labels": self.labels,
            "balance": list(self.balance),
            "per_cell": self.per_cell,
            "test_share": self.test_share,
            "seed": self.seed,
            "formats": list(self.formats),
            "split": self.split,
            **({"filter": self.filter} if self.filter else {}),
        }


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, without aliases and without keys that stand twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            line = self.peek_event().start_mark.line + 1
            raise RecipeRefused(f"Recipe, line {line}: aliases (*name) are not taken; write the value out.")
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: dict[Any, Any]) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        if re.search("[\0\ud800-\udfff]", node.value):
            raise RecipeRefused(f"Recipe, line {node.start_mark.line + 1}: a character that can't be stored.")
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise RecipeRefused(f"Recipe, line {key.start_mark.line + 1}: a key must be a plain word.")
            if key.value in seen:
                raise RecipeRefused(f"Recipe, line {key.start_mark.line + 1}: {key.value} stands there twice.")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


@dataclass
class _Reading:
    """The values of a recipe with the lines that they stand on."""

    values: Mapping[Any, Any]
    lines: Mapping[str, int] = field(default_factory=dict)

    def refuse(self, key: str, problem: str) -> RecipeRefused:
        line = self.lines.get(key) or self.lines.get(key.split(".")[0])
        where = f"Recipe, line {line}, {key}" if line else f"Recipe, {key}"
        return RecipeRefused(f"{where}: {problem}.")


def parse(text: str) -> Recipe:
    """Read a recipe. An empty text is a valid one: every labelled item, a tenth of them in test.

    Raises:
        RecipeRefused: not YAML, a key that stands twice or is not known, a value of the wrong type;
            the message names line and key and says what is allowed (P12).
    """
    reading = _read(text)
    unknown = [key for key in reading.values if key not in READERS]
    if unknown:
        raise reading.refuse(_shown(unknown[0]), f"no such key; there are {', '.join(READERS)}")
    found: dict[str, Any] = {}
    for key, value in reading.values.items():
        found |= READERS[key](reading, value)
    recipe = Recipe(**found)
    if recipe.labels == "none" and (recipe.label_filters or recipe.balanced_questions):
        raise reading.refuse("labels", "none exports no labels, so nothing can be filtered or balanced by one")
    return recipe


def _read(text: str) -> _Reading:
    if len(text.encode()) > MAX_BYTES:
        raise RecipeRefused(f"Recipe: longer than {MAX_BYTES} bytes.")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        values = {} if node is None else loader.construct_document(node)
    except RecursionError:
        raise RecipeRefused("Recipe: nested too deeply.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise RecipeRefused(f"Recipe{where}: not YAML ({getattr(error, 'problem', None) or error}).") from error
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise RecipeRefused(f"Recipe: a date or number that can't be ({error}); put it in quotes.") from error
    finally:
        loader.dispose()
    if values is None:
        return _Reading({})
    if not isinstance(values, dict):
        raise RecipeRefused(f"Recipe: write `key: value` lines; the keys are {', '.join(READERS)}.")
    return _Reading(values, _lines(node))


def _lines(node: yaml.Node | None) -> dict[str, int]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        lines[key.value] = key.start_mark.line + 1
        lines |= {f"{key.value}.{inner}": line for inner, line in _lines(value).items()}
    return lines


def _filters(reading: _Reading, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise reading.refuse("filters", "write one `key: value` line for each filter")
    filters, exclude_blocked = [], False
    for key, wanted in value.items():
        place = f"filters.{_shown(key)}"
        if key == "blocked":
            if wanted != "exclude":
                raise reading.refuse(place, "must be `exclude`")
            exclude_blocked = True
        elif key in ITEM_FILTERS:
            filters.append(Filter(key, _strings(reading, place, wanted)))
        elif isinstance(key, str) and re.fullmatch(r"(label|meta)\..+", key):
            filters.append(Filter(key, _scalars(reading, place, wanted)))
        else:
            allowed = ", ".join((*ITEM_FILTERS, "meta.NAME", "label.QUESTION", "blocked"))
            raise reading.refuse(place, f"no such filter; there are {allowed}")
    return {"filters": tuple(filters), "exclude_blocked": exclude_blocked}


def _balance(reading: _Reading, value: object) -> dict[str, Any]:
    if value is None or value == []:
        return {}
    keys = _strings(reading, "balance", value)
    if len(set(keys)) != len(keys):
        raise reading.refuse("balance", "names a key twice")
    return {"balance": keys, "per_cell": SMALLEST} if "per_cell" not in reading.values else {"balance": keys}


def _per_cell(reading: _Reading, value: object) -> dict[str, Any]:
    if value != SMALLEST and not (type(value) is int and 1 <= value <= MAX_PER_CELL):
        raise reading.refuse("per_cell", f"must be a whole number of at least 1, or `{SMALLEST}`")
    return {"per_cell": value}


def _test_share(reading: _Reading, value: object) -> dict[str, Any]:
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise reading.refuse("test_share", "must be a number from 0 to 1")
    return {"test_share": float(value)}  # type: ignore[arg-type]


def _seed(reading: _Reading, value: object) -> dict[str, Any]:
    if type(value) is not int or not 0 <= value <= MAX_SEED:
        raise reading.refuse("seed", "must be a whole number of at least 0")
    return {"seed": value}


def _labels(reading: _Reading, value: object) -> dict[str, Any]:
    if value not in LABEL_POLICIES:
        raise reading.refuse("labels", f"{_shown(value)} is not one of {', '.join(LABEL_POLICIES)}")
    return {"labels": value}


def _formats(reading: _Reading, value: object) -> dict[str, Any]:
    formats = _strings(reading, "formats", value)
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise reading.refuse("formats", f"{_shown(unknown[0])} is not one of {', '.join(FORMATS)}")
    return {"formats": tuple(name for name in FORMATS if name in formats)}


def _split(reading: _Reading, value: object) -> dict[str, Any]:
    if not isinstance(value, str) or not SPLIT_NAME.fullmatch(value):
        raise reading.refuse("split", "must be a name of letters, digits, _ and -")
    return {"split": value}


def _filter(reading: _Reading, value: object) -> dict[str, Any]:
    """A saved filter's name, or conditions as a manifest has them; whether they fit, the build says."""
    if isinstance(value, dict) and value and all(isinstance(key, str) for key in value):
        return {"filter": value}
    if not isinstance(value, str) or not SPLIT_NAME.fullmatch(value):
        raise reading.refuse("filter", "must be the name of a saved filter, or conditions as a manifest has them")
    return {"filter": value}


READERS: dict[str, Callable[[_Reading, Any], dict[str, Any]]] = {
    "filters": _filters,
    "labels": _labels,
    "balance": _balance,
    "per_cell": _per_cell,
    "test_share": _test_share,
    "seed": _seed,
    "formats": _formats,
    "split": _split,
    "filter": _filter,
}


def _scalars(reading: _Reading, place: str, value: object) -> tuple[Scalar, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(entry, str | int | float | bool) for entry in values):
        raise reading.refuse(place, f"must be a value or a list of values; {QUOTES}")
    return tuple(values)


def _strings(reading: _Reading, place: str, value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    wrong = [entry for entry in values if not isinstance(entry, str)]
    if not values or wrong:
        shown = f"{_shown(wrong[0])} is not text; " if wrong else ""
        raise reading.refuse(place, f"{shown}must be a text or a list of texts; {QUOTES}")
    return tuple(values)


def _shown(value: object) -> str:
    shown = (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, dict | list)
        else json.dumps(value, default=str)
    )
    return shown if len(shown) <= 60 else shown[:60] + "…"


def check_questions(recipe: Recipe, options: Mapping[str, Sequence[Scalar] | None]) -> None:
    """Refuse a recipe that names questions or answers which a project does not have.

    Args:
        options: question code to the values it may have; None where any value may be.

    Raises:
        RecipeRefused: naming the key and what there is.
    """
    for code in (*recipe.label_filters, *recipe.balanced_questions):
        if code not in options:
            there = ", ".join(options) or "none"
            raise RecipeRefused(
                f"Recipe, {code}: the project has no such question; there are {there}. "
                f"Items can be balanced by {', '.join(ITEM_CELLS)} and meta.NAME too."
            )
    for code, values in recipe.label_filters.items():
        allowed = options[code]
        known = None if allowed is None else {json.dumps(option) for option in allowed}
        wrong = [value for value in values if known is not None and json.dumps(value) not in known]
        if wrong and known is not None:
            raise RecipeRefused(
                f"Recipe, filters.label.{code}: {json.dumps(wrong[0])} is not one of "
                f"{', '.join(sorted(known))}; {QUOTES}."
            )
