"""Plan a run: seat the panel's jurors and write down what each still has to judge."""

from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from annotate.models import Project, User
from jury.adapters import adapter_of
from jury.bench import material_of
from jury.brief import Brief, brief_of, prompt_version
from jury.errors import BadJuror, NothingToAsk, RunUnderWay
from jury.item_text import JUDGED_KINDS
from jury.models import PASSING, Juror, Panel, Run, Seat

# Answers stand until the prompt version changes; only what failed in passing is asked again.
PLAN = """
INSERT INTO jury_work (seat_id, item_id, state, attempts, reason)
SELECT %(seat)s, item.id, 'due', 0, '' FROM annotate_item item
WHERE item.project_id = %(project)s AND item.kind = ANY(%(kinds)s) AND NOT item.blocked
  AND NOT EXISTS (
      SELECT 1 FROM jury_verdict verdict
      WHERE verdict.item_id = item.id AND verdict.juror_id = %(juror)s
        AND verdict.prompt_version = %(prompt_version)s AND verdict.part = ''
        AND verdict.failure <> ALL(%(passing)s)
        AND NOT EXISTS (
            SELECT 1 FROM jury_verdict later
            WHERE later.item_id = verdict.item_id AND later.juror_id = verdict.juror_id
              AND later.part = '' AND later.id > verdict.id))
ORDER BY item.id
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """A juror's seat to be, or why it has none."""

    juror: Juror
    material: object
    prompt_version: str


def start_run(project: Project, panel: Panel, started_by: User | None = None) -> Run:
    """Start a run of the panel over all of the project's items that have text. The caller wakes workers.

    Items of kind reference or image, and blocked ones, are left out. A juror that can't vote sits out, and
    the run's notes say why.

    Raises:
        RunUnderWay: the project has a running run.
        NothingToAsk: no juror of the panel can vote here; the message says why of each.
    """
    brief = brief_of(project)
    planned, notes = _planned(project, panel, brief)
    if not planned:
        raise NothingToAsk(" ".join([_("No juror of the panel %s can vote here.") % panel.slug, *notes]))
    try:
        with transaction.atomic():
            run = Run.objects.create(project=project, panel=panel, notes=notes, started_by=started_by)
            for each in planned:
                _seat(run, each)
    except IntegrityError as taken:
        raise RunUnderWay(_("%s has a run under way; wait for it, or stop it first.") % project.slug) from taken
    return run


def _planned(project: Project, panel: Panel, brief: Brief) -> tuple[list[Planned], list[str]]:
    planned, notes = [], []
    for juror in panel.jurors.filter(enabled=True).order_by("pk"):
        try:
            material = material_of(juror, project, brief)
        except BadJuror as problem:
            notes.append(str(problem))
            continue
        notes += material.notes
        if material.content is not None:
            version = prompt_version(juror, adapter_of(juror).version, brief, material.content)
            planned.append(Planned(juror, material.content, version))
    return planned, notes


def _seat(run: Run, planned: Planned) -> None:
    seat = Seat.objects.create(
        run=run, juror=planned.juror, prompt_version=planned.prompt_version, material=planned.material
    )
    with connection.cursor() as cursor:
        cursor.execute(
            PLAN,
            {
                "seat": seat.pk,
                "project": run.project_id,
                "juror": planned.juror.pk,
                "prompt_version": planned.prompt_version,
                "kinds": list(JUDGED_KINDS),
                "passing": list(PASSING),
            },
        )


def stop_run(run: Run) -> bool:
    """Stop the run: chunks under way are still stored, nothing more is claimed. False if it had ended."""
    stopped = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING)
    return bool(stopped.update(state=Run.State.STOPPED, finished_at=Now()))


def resume_run(run: Run) -> None:
    """Go on with a stopped run.

    Raises:
        RunUnderWay: another run has started meanwhile.
    """
    try:
        with transaction.atomic():
            Run.objects.filter(pk=run.pk, state=Run.State.STOPPED).update(
                state=Run.State.RUNNING, finished_at=None
            )
    except IntegrityError as taken:
        raise RunUnderWay(_("%s has another run under way.") % run.project.slug) from taken
