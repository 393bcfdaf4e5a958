"""How far a project is, in a handful of counts."""

from dataclasses import dataclass

from django.db.models import Count, F, Q, Sum

from annotate.models import Annotation, Assignment, Item, Label, Project, Purpose, User


@dataclass(frozen=True, slots=True)
class Progress:
    items: int
    complete: int
    slots: int
    submitted: int
    mine: int
    imported_annotations: int
    settled: int
    contested: int
    too_few: int


def progress_of(project: Project, person: User) -> Progress:
    """Counts for the overview; `mine` are the items that this person submitted. Four queries."""
    items = Item.objects.filter(project=project, purpose=Purpose.LABEL).aggregate(
        count=Count("id"),
        complete=Count("id", filter=Q(taken__gte=F("wanted"), wanted__gt=0)),
        slots=Sum("wanted", default=0),
    )
    submitted = Assignment.objects.filter(item__project=project, state=Assignment.State.SUBMITTED).aggregate(
        count=Count("id", filter=Q(repeat=0, item__purpose=Purpose.LABEL)),
        mine=Count("id", filter=Q(annotator=person)),
    )
    labels = Label.objects.filter(question__project=project).aggregate(
        **{state: Count("id", filter=Q(state=state)) for state in Label.State.values}
    )
    imported = Annotation.objects.filter(item__project=project, exposure="imported").count()
    return Progress(
        items=items["count"],
        complete=items["complete"],
        slots=items["slots"],
        submitted=submitted["count"],
        mine=submitted["mine"],
        imported_annotations=imported,
        settled=labels["settled"],
        contested=labels["contested"],
        too_few=labels["too_few"],
    )
