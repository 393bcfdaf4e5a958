"""What several commands take on their command line."""

from collections.abc import Iterable

from django.core.management.base import CommandError

from annotate.models import Project


def project_named(slug: str) -> Project:
    """The project.

    Raises:
        CommandError: there is none with this slug; the message names those that exist.
    """
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        slugs = ", ".join(Project.objects.order_by("slug").values_list("slug", flat=True)) or "none"
        raise CommandError(f"There is no project {slug!r}; there are: {slugs}.")
    return project


def name_pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """`THEIRS=OURS` words as a dictionary.

    Raises:
        CommandError: a word without `=`, an empty name, or one of their names twice.
    """
    pairs: dict[str, str] = {}
    for word in given:
        theirs, separator, ours = word.partition("=")
        if not separator or not theirs or not ours:
            raise CommandError(f"{option} {word}: write {option} THEIRS=OURS.")
        if theirs in pairs:
            raise CommandError(f"{option} {word}: {theirs} is mapped twice.")
        pairs[theirs] = ours
    return pairs
