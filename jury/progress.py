"""How runs and jurors do, as counts for the command line and the project's jury page."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext as _

from annotate.models import Project
from jury.adapters import ADAPTERS
from jury.models import Juror, Run, Verdict, Work


@dataclass(frozen=True, slots=True)
class Progress:
    """A run's work rows by state."""

    due: int
    done: int
    parked: int

    @property
    def total(self) -> int:
        return self.due + self.done + self.parked

    @property
    def closed(self) -> int:
        return self.done + self.parked


def progress_of(run: Run) -> Progress:
    """Counts of the run's work (one query)."""
    counts = dict(Work.objects.filter(seat__run=run).values_list("state").annotate(n=Count("id")).order_by())
    return Progress(**{state: counts.get(state, 0) for state in Work.State.values})


@dataclass(slots=True)
class Standing:
    """What a juror did in a project: answers, failures by name, agreement with people's votes."""

    juror: Juror
    what: str
    answered: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    agreed: int = 0

    @property
    def abstained(self) -> int:
        return self.failures["abstained"]

    @property
    def failed(self) -> dict[str, int]:
        return {name: n for name, n in self.failures.most_common() if name != "abstained"}

    @property
    def agreement_percent(self) -> float | None:
        return 100 * self.agreed / self.compared if self.compared else None


# Pairs of a juror's newest verdict and a person's vote on the same item and choice question, both sure.
AGREEMENT = """
WITH newest AS (
    SELECT DISTINCT ON (verdict.item_id, verdict.juror_id) verdict.item_id, verdict.juror_id, verdict.answers
    FROM jury_verdict verdict JOIN annotate_item item ON item.id = verdict.item_id
    WHERE item.project_id = %(project)s AND verdict.part = ''
    ORDER BY verdict.item_id, verdict.juror_id, verdict.id DESC
), vote AS (
    SELECT DISTINCT ON (annotation.item_id, annotation.annotator_id) annotation.item_id, annotation.answers
    FROM annotate_annotation annotation JOIN annotate_item item ON item.id = annotation.item_id
    WHERE item.project_id = %(project)s AND annotation.part = '' AND annotation.repeat = 0
      AND annotation.exposure IN ('blind', 'imported')
    ORDER BY annotation.item_id, annotation.annotator_id, annotation.revision DESC
)
SELECT newest.juror_id, count(*),
       count(*) FILTER (WHERE newest.answers -> question.code = vote.answers -> question.code)
FROM newest JOIN vote USING (item_id)
JOIN annotate_question question ON question.project_id = %(project)s AND question.kind IN ('choice', 'scale')
WHERE newest.answers ? question.code AND vote.answers ? question.code
  AND newest.answers ->> question.code <> 'unsure' AND vote.answers ->> question.code <> 'unsure'
GROUP BY newest.juror_id
"""


def standings(project: Project) -> list[Standing]:
    """One entry for each juror that has a verdict in the project, by name (three queries).

    Agreement counts pairs of one person's vote and the juror's verdict on one choice question.
    """
    newest = (
        Verdict.objects.filter(item__project=project)
        .order_by("item_id", "juror_id", "-id")
        .distinct("item_id", "juror_id")
    )
    counted = Verdict.objects.filter(pk__in=newest.values("pk")).values_list("juror_id", "failure")
    found: dict[int, Standing] = {}
    jurors = Juror.objects.filter(verdicts__item__project=project).distinct().order_by("title")
    for juror in jurors:
        adapter = ADAPTERS.get(juror.adapter)
        found[juror.pk] = Standing(juror, _(adapter.what) if adapter else _("no such adapter any more"))
    for juror_id, failure, n in counted.annotate(n=Count("id")).order_by():
        if failure:
            found[juror_id].failures[failure] += n
        else:
            found[juror_id].answered += n
    for juror_id, compared, agreed in _agreement(project):
        found[juror_id].compared, found[juror_id].agreed = compared, agreed
    return list(found.values())


def _agreement(project: Project) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(AGREEMENT, {"project": project.pk})
        return cursor.fetchall()
