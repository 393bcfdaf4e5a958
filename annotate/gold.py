"""Items with known answers: the warm-up that teaches, gold items and repeats that check."""

from annotate.models import Item, Membership, Project, User

# An item and which time it is asked: 0 the first time, above 0 a repeat.
Extra = tuple[Item, int]


def due(person: User, project: Project, membership: Membership | None, count: int) -> list[Extra]:
    """Up to `count` items that come to this person now beside new ones: warm-up, gold, repeats."""
    return []


def may_work(project: Project, membership: Membership | None) -> bool:
    """Whether the person may be handed items whose labels count: no warm-up here, or passed."""
    return True
