from annotate.ask_another import ask_others
from annotate.assign import reopen_expired_leases
from annotate.models import ItemImport
from annotate.tasks import read_upload
from annotate.upload import reopen_dead_uploads
from annotate.wake import wake


def sweep() -> dict[str, int]:
    """Free the slots of leases that ran out, ask others about contested items, wake workers for uploads."""
    reopened = reopen_dead_uploads()
    waiting = list(ItemImport.objects.filter(state=ItemImport.State.WAITING).values_list("pk", flat=True))
    for upload_id in waiting:
        wake(read_upload, upload_id)
    return {
        "leases opened again": reopen_expired_leases(),
        "another annotator asked": ask_others(),
        "dead uploads reopened": reopened,
        "uploads woken": len(waiting),
    }
