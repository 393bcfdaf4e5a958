"""What the review desk shows of one case: the item, why it is contested, the votes side by side, the form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotate.answers import Answers
from annotate.models import Category, Item, Label, ReviewReason
from annotate.seen_votes import SeenVote, seen_votes
from annotate.shown import ShownQuestion, blocks_context, form_values, item_facts, shown_questions
from annotate.taxonomy import frozen_categories
from annotate.telling import Why, why

REASONS: dict[Why, str | Promise] = {
    Why.JURY_AGAINST_PEOPLE: _("The jury and the people disagree."),
    Why.PEOPLE_SPLIT: _("People are evenly split."),
    Why.NOBODY_SURE: _("Nobody was sure."),
    Why.JURY_TIES: _("The jurors are evenly split."),
    Why.NO_MAJORITY: _("No answer has more than half of the votes."),
}


@dataclass(frozen=True, slots=True)
class Contest:
    """A question on which nothing is settled, and why."""

    question: str
    why: str | Promise


@dataclass(frozen=True, slots=True)
class Desk:
    """One case. `content` is what the template of an item's text needs."""

    item: Item
    part: str
    contests: list[Contest]
    labels: list[Label]
    votes: list[SeenVote]
    questions: list[ShownQuestion]
    answers: dict[str, list[str]]
    categories: tuple[Category, ...]
    problems: Mapping[str, str]
    content: dict[str, Any]
    facts: dict[str, Any]

    @property
    def problem(self) -> str:
        """What is wrong with the decision as a whole."""
        return self.problems.get("", "")

    @property
    def reasons(self) -> list[tuple[str, Any]]:
        return list(ReviewReason.choices)


def desk_of(
    item: Item, part: str, answers: Answers | None = None, problems: Mapping[str, str] | None = None
) -> Desk:
    """The case of an item, or a part of one.

    Args:
        answers: what the reviewer has sent already; without them the form holds what is settled.
        problems: what is wrong with it, by question code; under the empty code, with the whole.
    """
    project = item.project
    labels = list(Label.objects.filter(item=item, part=part).select_related("question").order_by("pk"))
    labels.sort(key=lambda label: (label.question.position, label.question_id))
    settled = {label.question.code: label.value for label in labels if label.value is not None}
    given = settled if answers is None else answers
    open_labels = [label for label in labels if label.state == Label.State.CONTESTED]
    version = project.taxonomy_version_id
    return Desk(
        item=item,
        part=part,
        contests=[Contest(label.question.text, REASONS[why(label.votes)]) for label in open_labels],
        labels=labels,
        votes=seen_votes(item, labels),
        questions=shown_questions(project, item, given, problems or {}),
        answers=form_values(project, given),
        categories=frozen_categories(version) if version is not None else (),
        problems=problems or {},
        content=blocks_context(item, None),
        facts=item_facts(item, 0),
    )
