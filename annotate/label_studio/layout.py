"""What a project looks like in Label Studio: the objects shown, and the controls that answer its questions.

A span question has a Labels control for each text (CODE__text, CODE__prompt, CODE__response) and a choice for
what spans can't say (CODE__none); any other question has one control, named as the question.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Func, IntegerField, Max
from django.db.models.fields.json import KeyTransform

from annotate.answers import UNSURE, AskedQuestion, Contract
from annotate.models import Category, Item, Project
from annotate.models.item import ItemKind
from annotate.models.taxonomy import CategoryKind
from annotate.questions import contract_of

# Object tags by the name of their data, in the order in which they are shown.
OBJECTS = {
    "text": "Text",
    "image": "Image",
    "prompt": "Text",
    "response": "Text",
    "turns": "Paragraphs",
    "id": "Text",
}
SHOWN = {
    ItemKind.TEXT: ("text",),
    ItemKind.PROMPT: ("prompt",),
    ItemKind.PAIR: ("prompt", "response"),
    ItemKind.DIALOGUE: ("turns",),
    ItemKind.IMAGE: ("image", "prompt"),
    ItemKind.REFERENCE: ("id",),
}
SPAN_TEXTS = ("text", "prompt", "response")
OBJECT_OF_PART = {"turn": "turns"}
TAGS = {"categories": "Taxonomy", "text": "TextArea"}
NO_SPANS = "none"


@dataclass(frozen=True, slots=True)
class Node:
    """A category, or a group of them, at one of its places in the taxonomy."""

    code: str
    name: str
    is_group: bool
    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Control:
    """A control tag; `shown` is the data that it points to, `words` the answers of a Choices tag."""

    name: str
    tag: str
    shown: str
    question: AskedQuestion
    words: Mapping[str, object] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """What results call the tag, and the key of their value."""
        return self.tag.lower()

    @property
    def to_name(self) -> str:
        return object_name(self.shown)

    @property
    def is_multiple(self) -> bool:
        return self.question.kind == "turns"


@dataclass(frozen=True)
class Layout:
    """All that a config and its results depend on.

    Attributes:
        wording: the questions' texts by code.
        kinds: of the project's items.
        turns: how many the longest dialogue has.
        span_labels: the labels that spans may have.
    """

    contract: Contract
    wording: Mapping[str, str]
    kinds: frozenset[str]
    turns: int
    tree: tuple[Node, ...]
    span_labels: tuple[str, ...] = ()

    @cached_property
    def objects(self) -> tuple[str, ...]:
        """The names of the data that is shown."""
        shown = {name for kind in self.kinds for name in SHOWN[ItemKind(kind)]}
        return tuple(name for name in OBJECTS if name in shown) or ("id",)

    @cached_property
    def controls(self) -> dict[str, Control]:
        """The controls by name, in the questions' order."""
        return {control.name: control for q in self.contract.questions for control in self._controls_of(q)}

    @cached_property
    def paths(self) -> dict[tuple[str, ...], str]:
        """The category at the end of each path of codes; one with two parents has two paths."""
        return dict(_paths(self.tree, ()))

    @cached_property
    def path_of(self) -> dict[str, tuple[str, ...]]:
        """The first path to each category."""
        return {code: path for path, code in reversed(self.paths.items())}

    def _controls_of(self, question: AskedQuestion) -> Iterator[Control]:
        shown = self._object_of(question)
        if question.kind != "spans":
            yield Control(
                question.code, TAGS.get(question.kind, "Choices"), shown, question, self._words(question)
            )
            return
        for text in SPAN_TEXTS:
            if text in self.objects:
                yield Control(f"{question.code}__{text}", "Labels", text, question)
        yield Control(f"{question.code}__none", "Choices", shown, question, {NO_SPANS: [], UNSURE: UNSURE})

    def _object_of(self, question: AskedQuestion) -> str:
        part = OBJECT_OF_PART.get(question.part, question.part)
        return part if part in self.objects else self.objects[0]

    def _words(self, question: AskedQuestion) -> dict[str, object]:
        options: Iterable[object] = range(self.turns) if question.kind == "turns" else question.options
        return {word_for(option): option for option in options} | {UNSURE: UNSURE}


def object_name(shown: str) -> str:
    """An object tag's name; a question may be called `text` or `prompt` itself."""
    return f"item_{shown}"


def word_for(value: object) -> str:
    """The word for a value: plain text as it is, anything else as JSON, so 1, 1.0, "1" and true stay apart."""
    if isinstance(value, str) and value and value.isprintable() and not _is_json(value):
        return value
    return json.dumps(value)


def label_of(word: str) -> str | None:
    """The span label that a word stands for; null is a span without one."""
    label = json.loads(word) if _is_json(word) else word
    return label if label is None or isinstance(label, str) else word


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def layout_of(project: Project, span_labels: Iterable[str] = ()) -> Layout:
    """The layout of the project's questions, taxonomy and items as they are now."""
    items = Item.objects.filter(project=project)
    length = Func(KeyTransform("turns", "content"), function="jsonb_array_length", output_field=IntegerField())
    longest = items.filter(kind=ItemKind.DIALOGUE).aggregate(longest=Max(length))["longest"]
    return Layout(
        contract=contract_of(project),
        wording=dict(project.questions.values_list("code", "text")),
        kinds=frozenset(items.values_list("kind", flat=True).distinct()),
        turns=longest or 0,
        tree=_tree(project),
        span_labels=tuple(sorted(set(span_labels))),
    )


def _tree(project: Project) -> tuple[Node, ...]:
    below: dict[str, list[Category]] = {}
    if project.taxonomy_version_id is not None:
        for category in Category.objects.filter(taxonomy_version_id=project.taxonomy_version_id):
            for parent in category.parents or [""]:
                below.setdefault(parent, []).append(category)

    def nodes(parent: str, above: tuple[str, ...]) -> tuple[Node, ...]:
        return tuple(
            Node(c.code, c.name, c.kind == CategoryKind.GROUP, nodes(c.code, (*above, c.code)))
            for c in below.get(parent, ())
            if c.code not in above
        )

    return nodes("", ())


def _paths(nodes: tuple[Node, ...], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for node in nodes:
        path = (*above, node.code)
        if not node.is_group:
            yield path, node.code
        yield from _paths(node.children, path)
