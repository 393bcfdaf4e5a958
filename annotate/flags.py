"""What people said is wrong with items: read by leads, settled one by one, a block lifted only on purpose."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from annotate.models import Flag, Item, Project

# Their items' content is shown on no page of flags, and each is written to the log for whoever is on duty.
SERIOUS = (Flag.Reason.NOT_AGAIN, Flag.Reason.PERSONAL_DATA)


@dataclass(frozen=True, slots=True)
class FlagGroup:
    """The open flags of one reason, newest first."""

    reason: str
    name: str
    serious: bool
    flags: list[Flag]


def open_flags(project: Project) -> list[FlagGroup]:
    """The project's open flags by reason, the serious ones first; of their items only ids are fetched."""
    found: dict[str, list[Flag]] = {}
    fields = ("reason", "note", "category", "created_at", "item__external_id", "item__blocked")
    for flag in (
        Flag.objects.filter(item__project=project, resolved_at=None)
        .select_related("item")
        .only(*fields)
        .order_by("-created_at", "-id")
    ):
        found.setdefault(flag.reason, []).append(flag)
    order = [*SERIOUS, *(reason for reason in Flag.Reason if reason not in SERIOUS)]
    return [
        FlagGroup(reason.value, str(reason.label), reason in SERIOUS, found[reason])
        for reason in order
        if reason in found
    ]


def blocked_items(project: Project) -> list[Item]:
    """The items that nobody sees, by id; their content is not fetched."""
    items = Item.objects.filter(project=project, blocked=True)
    return list(items.only("external_id", "blocked").order_by("external_id"))


def resolve(flag: Flag) -> None:
    """Settle a flag; settled twice it keeps the first time. A blocked item stays blocked."""
    Flag.objects.filter(pk=flag.pk, resolved_at=None).update(resolved_at=timezone.now())


@transaction.atomic
def unblock(item: Item) -> None:
    """Let people see the item again, and settle the flags that blocked it."""
    Item.objects.filter(pk=item.pk).update(blocked=False)
    raised = Flag.objects.filter(item=item, reason=Flag.Reason.NOT_AGAIN, resolved_at=None)
    raised.update(resolved_at=timezone.now())
