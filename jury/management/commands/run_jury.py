import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from annotate.models import Project
from jury.defaults import panel_for
from jury.deliberate import deliberate
from jury.errors import JuryError
from jury.models import Panel, Run
from jury.plan import start_run
from jury.progress import Progress, progress_of
from jury.tasks import wake_workers

ROUND_SECONDS = 1.0


class Command(BaseCommand):
    help = "Let a panel of jurors judge a project's items. What was judged before is not asked again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="slug of the project")
        parser.add_argument("--panel", help="slug of the panel (default: the project's last one, else `local`)")
        parser.add_argument(
            "--wait", action="store_true", help="work here until the run is done, beside any workers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        run = self._under_way(project) or self._start(project, options["panel"])
        if not options["wait"]:
            wake_workers(run)
            self.stdout.write(
                f"Run {run.pk}: {progress_of(run).due} verdicts to give. The workers take it from here."
            )
            return
        self._wait(run)
        done = progress_of(run)
        self.stdout.write(f"Run {run.pk} is {run.state}: {done.done} verdicts, {done.parked} parked.")

    def _under_way(self, project: Project) -> Run | None:
        run = Run.objects.filter(project=project, state=Run.State.RUNNING).first()
        if run is not None:
            self.stderr.write(f"Run {run.pk} of the panel {run.panel.slug} is under way; joining it.")
        return run

    def _start(self, project: Project, panel_slug: str | None) -> Run:
        panel = Panel.objects.filter(slug=panel_slug).first() if panel_slug else panel_for(project)
        if panel is None:
            known = ", ".join(Panel.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no panel {panel_slug!r}; there are {known}.")
        try:
            run = start_run(project, panel)
        except JuryError as problem:
            raise CommandError(str(problem)) from problem
        for note in run.notes:
            self.stderr.write(note)
        return run

    def _wait(self, run: Run) -> None:
        with tqdm(total=progress_of(run).total, unit=" verdicts", file=self.stderr) as bar:
            while run.state == Run.State.RUNNING:
                more = deliberate(run, ROUND_SECONDS)
                self._show(bar, progress_of(run))
                run.refresh_from_db()
                if not more and run.state == Run.State.RUNNING:
                    time.sleep(ROUND_SECONDS / 2)
        for note in run.notes if run.state == Run.State.STOPPED else []:
            self.stderr.write(note)

    def _show(self, bar: tqdm, progress: Progress) -> None:
        bar.update(progress.closed - bar.n)
