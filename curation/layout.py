"""The columns of the data files, and how a label's value becomes a column. Pure Polars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from curation.asked import UNSURE_VALUE, Asked
from curation.errors import BuildRefused

CONTENT_OF_KIND = {
    "text": ("text",),
    "prompt": ("prompt",),
    "pair": ("prompt", "response"),
    "dialogue": ("turns",),
    "image": ("prompt", "response", "image"),
    "reference": (),
}
CONTENTS = ("text", "prompt", "response", "turns", "image")
FRONT = ("id", "part", "kind")
BACK = ("lang", "source", "license", "group", "meta")
ROLE_AND_TEXT = pl.List(pl.Struct({"role": pl.String, "text": pl.String}))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a mix.

    Attributes:
        contents: the content columns that its kinds of items have.
        questions: column name to question.
    """

    contents: tuple[str, ...]
    questions: dict[str, Asked]

    @property
    def schema(self) -> dict[str, Any]:
        """Column name to type, in order."""
        schema: dict[str, Any] = dict.fromkeys((*FRONT, *self.contents, *BACK), pl.String)
        if "turns" in self.contents:
            schema["turns"] = ROLE_AND_TEXT
        for name, question in self.questions.items():
            schema[name] = pl.List(pl.String) if question.is_listed else pl.String
            schema |= {f"{name}_source": pl.String, f"{name}_confidence": pl.Float64}
        return schema


def layout_of(kinds: set[str], asked: Sequence[Asked]) -> Layout:
    """The columns for items of these kinds and labels for these questions.

    A question whose code is another column's name is called label_CODE.

    Raises:
        BuildRefused: two columns would have the same name.
    """
    contents = tuple(name for name in CONTENTS if any(name in CONTENT_OF_KIND[kind] for kind in kinds))
    taken = {*FRONT, *CONTENTS, *BACK}
    named = [(f"label_{q.code}" if q.code in taken else q.code, q) for q in asked]
    labels = [name + end for name, _ in named for end in ("", "_source", "_confidence")]
    twice = sorted(name for name in set(labels) if labels.count(name) > 1)
    if twice:
        raise BuildRefused(f"Two columns of the data files would be called {twice[0]}; rename a question.")
    return Layout(contents, dict(named))


def label_columns(labels: pl.DataFrame, name: str, question: Asked) -> pl.DataFrame:
    """One question's labels as three columns beside `item` and `part`."""
    return labels.filter(question=question.code).select(
        "item",
        "part",
        _value(question).alias(name),
        pl.col("label_source").alias(f"{name}_source"),
        pl.col("confidence").round(4).alias(f"{name}_confidence"),
    )


def _value(question: Asked) -> pl.Expr:
    """JSON text as the column holds it: plain text, a list of codes, or JSON where types must be told apart.

    Unsure is the text `unsure` everywhere, in a list of codes the only entry.
    """
    value = pl.col("value")
    unsure = value == UNSURE_VALUE
    if question.is_listed:
        listed = pl.when(unsure).then(pl.lit(f"[{UNSURE_VALUE}]")).otherwise(value)
        return listed.str.json_decode(pl.List(pl.String)).list.sort()
    if question.plain:
        return value.str.json_decode(pl.String)
    return pl.when(unsure).then(pl.lit("unsure")).otherwise(value)
