"""What a person does not want to see: private, without a reason, and without a price."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from annotate.assign import give_back
from annotate.models import Assignment, Category, OptOut, Preferences, Project, User
from annotate.models.taxonomy import CategoryKind
from annotate.taxonomy import frozen_categories


@dataclass(frozen=True, slots=True)
class Choice:
    """A hazard or a group of them to opt out of; `value` is what the form sends."""

    value: str
    name: str
    chosen: bool
    below: "list[Choice]"

    @property
    def open(self) -> bool:
        """Whether something below is chosen, so that it should be in sight."""
        return any(choice.chosen or choice.open for choice in self.below)


@dataclass(frozen=True, slots=True)
class Tree:
    """The choices of one taxonomy."""

    title: str
    choices: list[Choice]


def trees_for(person: User) -> list[Tree]:
    """What the person can opt out of: the groups and hazards of the taxonomies of their projects."""
    chosen = set(OptOut.objects.filter(user=person).values_list("taxonomy_id", "code"))
    versions = (
        Project.objects.visible_to(person)
        .filter(taxonomy_version__isnull=False)
        .order_by("taxonomy_version__taxonomy__title", "-taxonomy_version_id")
        .values_list("taxonomy_version__taxonomy_id", "taxonomy_version__taxonomy__title", "taxonomy_version_id")
    )
    newest: dict[int, tuple[str, int]] = {}
    for taxonomy, title, version in versions:
        newest.setdefault(taxonomy, (title, version))
    return [
        Tree(title, _choices(taxonomy, frozen_categories(version), chosen))
        for taxonomy, (title, version) in newest.items()
    ]


def _choices(taxonomy: int, categories: Iterable[Category], chosen: set[tuple[int, str]]) -> list[Choice]:
    hazards = [category for category in categories if category.kind != CategoryKind.NON_UNSAFE]
    below: dict[str, list[Category]] = {}
    for category in hazards:
        # A category under two groups stands under the first; opting out of either includes it.
        for parent in category.parents[:1]:
            below.setdefault(parent, []).append(category)

    def choice(category: Category) -> Choice:
        lower = [choice(child) for child in below.get(category.code, ())]
        picked = (taxonomy, category.code) in chosen
        return Choice(f"{taxonomy}:{category.code}", category.name, picked, lower)

    return [choice(category) for category in hazards if not category.parents]


def all_values(trees: Iterable[Tree]) -> set[str]:
    """Every value that a form with these trees may send."""

    def below(choices: Iterable[Choice]) -> set[str]:
        return {value for choice in choices for value in {choice.value} | below(choice.below)}

    return below(choice for tree in trees for choice in tree.choices)


@transaction.atomic
def set_opt_outs(person: User, values: Iterable[str], offered: Iterable[str]) -> None:
    """Make these the person's opt-outs among those offered; others, of taxonomies not on the page, stay.

    What the person has in hand is given back, and what is still allowed comes again with the next page.
    """
    offered = set(offered)
    wanted = {_read(value) for value in offered.intersection(values)}
    before = set(OptOut.objects.filter(user=person).values_list("taxonomy_id", "code"))
    on_page = {_read(value) for value in offered}
    for taxonomy, code in (before & on_page) - wanted:
        OptOut.objects.filter(user=person, taxonomy=taxonomy, code=code).delete()
    OptOut.objects.bulk_create(
        (OptOut(user=person, taxonomy_id=taxonomy, code=code) for taxonomy, code in sorted(wanted - before)),
        ignore_conflicts=True,
    )
    if wanted - before:
        give_back_everywhere(person)


def _read(value: str) -> tuple[int, str]:
    taxonomy, _, code = value.partition(":")
    return int(taxonomy), code


def give_back_everywhere(person: User) -> None:
    """Give back what the person has in hand in every project, so that new limits hold from the next item on."""
    projects = Project.objects.filter(items__assignments__in=_leases(person)).distinct()
    for project in projects.order_by("pk"):
        give_back(person, project)


def _leases(person: User) -> "list[int]":
    return list(
        Assignment.objects.filter(annotator=person, state=Assignment.State.LEASED).values_list("pk", flat=True)
    )


@transaction.atomic
def save_preferences(preferences: Preferences, *, lower: bool) -> None:
    """Store a person's preferences. `lower`: caps changed, so what is in hand is handed out anew."""
    preferences.save()
    if lower:
        give_back_everywhere(preferences.user)
