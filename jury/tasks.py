from celery import shared_task

from annotate.models import Project
from annotate.wake import wake
from jury.deliberate import deliberate
from jury.models import Run
from jury.weigh import weigh

SECONDS_A_TASK = 20
# More wake-ups than this at once would crowd other tasks out.
MOST_WORKERS = 4


@shared_task
def work(run_id: int) -> None:
    """Work on a run for a while, then let other tasks have their turn."""
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        return
    if deliberate(run, SECONDS_A_TASK):
        wake(work, run_id)
    else:
        wake(weigh_stale, run.project_id)


@shared_task
def weigh_stale(project_id: int) -> None:
    """Weigh the items whose votes changed."""
    project = Project.objects.filter(pk=project_id).first()
    if project is not None:
        weigh(project, stale_only=True)


def wake_workers(run: Run) -> None:
    """Send as many wake-ups as there are jurors, up to a few."""
    for _ in range(min(MOST_WORKERS, run.seats.count())):
        wake(work, run.pk)
