"""Find what lost wake-ups and killed workers left behind, and wake somebody for it."""

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from annotate.models import Item, Project
from annotate.wake import wake
from jury.claim import finish_if_done
from jury.models import Run, Work
from jury.tasks import weigh_stale, work


def sweep() -> dict[str, int]:
    """Wake workers for running runs that nobody works on, and for projects whose labels are stale."""
    runs = list(_idle_runs())
    for run in runs:
        if not finish_if_done(run):
            wake(work, run.pk)
    stale = Item.objects.filter(project=OuterRef("pk"), labels_stale=True)
    projects = list(Project.objects.filter(Exists(stale)))
    for project in projects:
        wake(weigh_stale, project.pk)
    return {"runs woken": len(runs), "projects to weigh": len(projects)}


def _idle_runs() -> list[Run]:
    """Running runs without a live lease: work is due and free, or nothing is left."""
    due = Work.objects.filter(seat__run=OuterRef("pk"), state=Work.State.DUE)
    leased = due.filter(Q(leased_until__gt=Now()))
    return list(Run.objects.filter(~Exists(leased), state=Run.State.RUNNING))
