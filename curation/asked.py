"""A project's questions as a mix sees them. Pure."""

from dataclasses import dataclass

from curation.recipe import Scalar

UNSURE_VALUE = '"unsure"'


@dataclass(frozen=True, slots=True)
class Asked:
    """One question.

    Attributes:
        plain: its values are texts and need no JSON around them.
        options: the values that a recipe may name; None where any may be.
        condition: asked only if one of these (question, value as JSON text) holds; empty: always.
    """

    code: str
    kind: str
    plain: bool
    options: tuple[Scalar, ...] | None
    condition: tuple[tuple[str, str], ...] = ()

    @property
    def is_listed(self) -> bool:
        """Whether a label is a list of codes."""
        return self.kind == "categories"
