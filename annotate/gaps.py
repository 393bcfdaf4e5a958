"""What the guidelines don't say: flags of annotators and reviewers, for whoever owns taxonomy and guidelines."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from annotate.models import Assignment, Flag, Project, User
from annotate.taxonomy import frozen_categories

OPEN = [Assignment.State.LEASED, Assignment.State.EXPIRED]


@dataclass(frozen=True, slots=True)
class CategoryGaps:
    """The gaps about one category; `code` and `name` are empty where none was named."""

    code: str
    name: str
    flags: list[Flag]


def gaps(project: Project, person: User) -> list[CategoryGaps]:
    """The open gaps by category in the taxonomy's order, those without one last; within one, the newest first.

    Items that this person still has to annotate are left out: a note may say what others think of them (P3).
    """
    own = Assignment.objects.filter(item=OuterRef("item"), annotator=person, state__in=OPEN)
    flags = (
        Flag.objects.filter(
            item__project=project, item__blocked=False, reason=Flag.Reason.GUIDELINE_GAP, resolved_at=None
        )
        .exclude(Exists(own))
        .select_related("item")
        .order_by("-created_at", "-pk")
    )
    return _by_category(project, flags)


def _by_category(project: Project, flags: Iterable[Flag]) -> list[CategoryGaps]:
    categories = frozen_categories(project.taxonomy_version_id) if project.taxonomy_version_id else ()
    names = {category.code: category.name for category in categories}
    found: dict[str, list[Flag]] = {}
    for flag in flags:
        found.setdefault(flag.category, []).append(flag)
    place = {code: number for number, code in enumerate(names)}
    ordered = sorted(found, key=lambda code: (not code, place.get(code, len(place)), code))
    return [CategoryGaps(code, names.get(code, code), found[code]) for code in ordered]


def resolve(flag: Flag) -> None:
    """The guidelines say it now. Once resolved it stays so; the time of the first resolution is kept."""
    Flag.objects.filter(pk=flag.pk, resolved_at=None).update(resolved_at=Now())
