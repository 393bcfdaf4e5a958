from django.db.models.functions import Now

from annotate.wake import wake
from curation.export import MOST_ATTEMPTS, due
from curation.models import Export
from curation.tasks import build


def sweep() -> dict[str, int]:
    """Wake workers for exports that wait or whose worker died; give up those that failed too often."""
    given_up = Export.objects.filter(due(), attempts__gte=MOST_ATTEMPTS).update(
        state=Export.State.FAILED,
        message=f"The worker died {MOST_ATTEMPTS} times while building this mix; its log may say why.",
        finished_at=Now(),
    )
    waiting = list(Export.objects.filter(due()).values_list("pk", flat=True))
    for export_id in waiting:
        wake(build, export_id)
    return {"exports woken": len(waiting), "exports given up": given_up}
