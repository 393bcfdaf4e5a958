"""The import contract: what one row must and may hold to become an item.

`id` and exactly one content: `text`; `prompt` (and `response`); `turns`; `image` (and `alt`, `prompt`);
`images`, a list of paths or {image, alt} (and `prompt`). Optional: `group`, `parent`, `source`, `license`,
`use`, `lang`, `severity`, `hazards`. Everything else is kept as `meta`.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from annotate.door.read_care import read_hazards, read_severity
from annotate.door.read_content import CONTENT_FIELDS, IMAGE_FIELDS, Kind, read_content, refuse_content
from annotate.door.read_field import read_key, read_note, read_required_key, read_string
from annotate.door.read_rows import Format, Source, read_rows
from annotate.door.refuse import FileRefused, Rejection, Row, RowRefused, excerpt, reject
from annotate.door.seen_ids import SeenIds

FIELDS = frozenset(
    (
        *("id", *CONTENT_FIELDS, "response", "group", "parent"),
        *("source", "license", "use", "lang", "severity", "hazards"),
    ),
)
# Names that published sets use; taken when the first row has no `id`.
ID_ALIASES = ("item_id", "case_id")
USES = ("any", "train", "test")
SOURCE_POINTS = 300
LICENCE_POINTS = 200
LANGUAGE_POINTS = 20


class ItemRow(NamedTuple):
    """A row that may become an item.

    `content` is {text}, {prompt}, {prompt, response}, {turns: [{role, text}]}, {image, alt?, prompt?} or
    {images: [{image, alt?}], prompt?}; {} for a reference, an item whose content lies elsewhere.
    """

    external_id: str
    kind: Kind
    content: dict[str, Any]
    group_key: str | None
    parent: str | None
    source: str | None
    licence: str | None
    use: str
    lang: str | None
    meta: dict[str, Any]
    line: int
    severity: int | None = None
    hazards: list[str] | None = None


class Plan(NamedTuple):
    """What the first row settles for the whole file: new names, and whether the rows are references.

    `categories` are the codes that `hazards` may name; None: any.
    """

    rename: dict[str, str]
    references: bool
    categories: frozenset[str] | None = None


def read_items(
    source: Source,
    *,
    mapping: Mapping[str, str] | None = None,
    allow_references: bool = False,
    categories: frozenset[str] | None = None,
    seen: SeenIds | None = None,
    format: Format | None = None,
    encoding: str = "utf-8",
    name: str | None = None,
) -> Iterator[ItemRow | Rejection]:
    """The items of a file; `mapping` is their name → our name. Give `seen` to read its warnings afterwards.

    Raises FileRefused, also in the middle, so nothing may be kept before the end is reached.
    """
    mapping = mapping or {}
    seen = SeenIds() if seen is None else seen

    def check_columns(names: list[str]) -> None:
        refuse_columns(names, plan_reading(names, mapping, allow_references))

    plan: Plan | None = None
    for row in read_rows(source, format=format, encoding=encoding, name=name, check_columns=check_columns):
        if isinstance(row, Rejection):
            yield row
            continue
        if plan is None:
            plan = plan_reading(row.values, mapping, allow_references)._replace(categories=categories)
        yield read_item(row, plan, seen)


def plan_reading(names: Collection[str], mapping: Mapping[str, str], allow_references: bool = False) -> Plan:
    """The plan from the names in the first row. Raises FileRefused when a mapped name is not among them."""
    missing = [theirs for theirs in mapping if theirs not in names]
    if missing:
        raise FileRefused(f"the first row has no {_listed(missing)}, which should be mapped. {_found(names)}")
    rename = dict(mapping)
    ours = {rename.get(theirs, theirs) for theirs in names}
    alias = next((alias for alias in ID_ALIASES if alias in names and alias not in rename), None)
    if "id" not in ours and alias:
        rename[alias] = "id"
    return Plan(rename, allow_references and ours.isdisjoint(CONTENT_FIELDS))


def refuse_columns(names: Collection[str], plan: Plan) -> None:
    """Raises FileRefused when a table lacks the columns that every item needs."""
    ours = {plan.rename.get(theirs, theirs) for theirs in names}
    if "id" not in ours:
        reason = "no column is called id: add a header, or map the column that holds it"
        raise FileRefused(f"{reason}. {_found(names)}")
    if ours.isdisjoint(CONTENT_FIELDS) and not plan.references:
        reason = f"no column is called {' or '.join(CONTENT_FIELDS)}: map the one that holds the content"
        raise FileRefused(f"{reason}. {_found(names)}")


def _found(names: Collection[str]) -> str:
    return f"Found: {_listed(list(names)[:20])}" + (" and more" if len(names) > 20 else "")


def _listed(names: Collection[str]) -> str:
    return ", ".join(repr(excerpt(name)) for name in names)


def read_item(row: Row, plan: Plan, seen: SeenIds | None = None) -> ItemRow | Rejection:
    """One row by the contract above. Null in an optional field is absence; types are never converted."""
    try:
        values = _renamed(row.values, plan.rename) if plan.rename else row.values
        item = _item(values, plan, row.line)
        if seen is not None:
            seen.add(item.external_id, row.line)
    except RowRefused as fault:
        return reject(row.line, fault, row.values)
    return item


def _renamed(values: dict[str, Any], rename: Mapping[str, str]) -> dict[str, Any]:
    renamed = {rename.get(theirs, theirs): value for theirs, value in values.items()}
    if len(renamed) != len(values):
        ours = [rename.get(theirs, theirs) for theirs in values]
        twice = next(name for name in ours if ours.count(name) > 1)
        reason = f"two fields of the row would become {excerpt(twice)}: map one of them to another name"
        raise RowRefused("mapped_twice", twice, reason)
    return renamed


def _item(values: dict[str, Any], plan: Plan, line: int) -> ItemRow:
    external_id = read_required_key(values, "id")
    # Words for an image belong to it; elsewhere a field of that name is one like any other.
    ours = FIELDS | {"alt"} if any(values.get(field) is not None for field in IMAGE_FIELDS) else FIELDS
    meta = {name: value for name, value in values.items() if name not in ours}
    kind: Kind
    content: dict[str, Any]
    if plan.references:
        refuse_content(values)
        kind, content = "reference", {}
    else:
        kind, content = read_content(values, meta)
    return ItemRow(
        external_id=external_id,
        kind=kind,
        content=content,
        group_key=read_key(values, "group"),
        parent=read_key(values, "parent"),
        source=read_note(values, "source", SOURCE_POINTS),
        licence=read_note(values, "license", LICENCE_POINTS),
        use=_read_use(values),
        lang=read_note(values, "lang", LANGUAGE_POINTS),
        meta=meta,
        line=line,
        severity=read_severity(values),
        hazards=read_hazards(values, plan.categories),
    )


def _read_use(values: dict[str, Any]) -> str:
    use = read_string(values, "use")
    if use is None:
        return "any"
    if use not in USES:
        raise RowRefused("value", "use", f"use must be one of {', '.join(USES)}", use)
    return use
