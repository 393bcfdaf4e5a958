"""Which codes of a taxonomy are meant by one: those below it, in any version, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from annotate.models import CategoryMap, TaxonomyVersion
from annotate.taxonomy import codes_below


@dataclass(frozen=True, slots=True)
class Family:
    """The published versions of one taxonomy, and what of them was renamed, merged or split since."""

    versions: list[int]
    moved: list[tuple[str, str, str]]

    def meant(self, codes: Iterable[str]) -> frozenset[str]:
        """These codes, what lies below them in any version, and what became of them.

        An item keeps the codes that it was imported with, so that older versions count as well.
        """
        meant, before = set(codes), set[str]()
        while before != meant:
            before = set(meant)
            for version in self.versions:
                meant |= codes_below(version, before)
            for old, new, how in self.moved:
                if old in meant:
                    meant.add(new)
                elif new in meant and how != CategoryMap.Relation.SPLIT:
                    meant.add(old)
        return frozenset(meant)


def family_of(version_id: int) -> Family:
    """The family of a published version (two queries at most)."""
    published = TaxonomyVersion.objects.filter(taxonomy__versions=version_id, published_at__isnull=False)
    versions = list(published.values_list("pk", flat=True))
    if len(versions) < 2:
        return Family(versions, [])
    relation = CategoryMap.Relation
    moved = CategoryMap.objects.filter(
        category__taxonomy_version__in=versions,
        to_category__taxonomy_version__in=versions,
        relation__in=[relation.RENAMED, relation.MERGED, relation.SPLIT],
    )
    return Family(versions, list(moved.values_list("category__code", "to_category__code", "relation")))
