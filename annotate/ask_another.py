"""Contested items whose labels rest on people alone: one more annotator first, then a reviewer."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from annotate.models import Assignment, Item, Label, Membership, Project, Purpose, Role

# An item that nobody took up for so long goes to a reviewer after all.
PATIENCE = timedelta(days=3)
BY_PEOPLE = (Label.Source.HUMAN_VOTE, Label.Source.HUMAN_ASSISTED)


def waits_for_another(project: Project) -> Q:
    """Labels whose item has its full overlap or less, and somebody who can be asked in addition.

    Once one more person than the overlap has answered, or three days after the votes last changed, it waits
    no longer. Not for items that other weighing rules than people's votes have left contested.
    """
    submitted = Assignment.objects.filter(
        item=OuterRef("item"), repeat=0, state=Assignment.State.SUBMITTED
    ).values("item")
    answered = Coalesce(Subquery(submitted.annotate(n=Count("pk")).values("n")), 0)
    waiting = Label.objects.annotate(answered=answered).filter(
        Exists(_may_be_asked(project)),
        question__project=project,
        state=Label.State.CONTESTED,
        source__in=BY_PEOPLE,
        item__purpose=Purpose.LABEL,
        item__wanted__gt=0,
        answered__lte=project.overlap,
        decided_at__gt=Now() - PATIENCE,
    )
    return Q(item__in=waiting.values("item"))


def _may_be_asked(project: Project) -> QuerySet[Membership]:
    """Annotators who hold a label's item now or never had it; for use within a query of labels."""
    label_item = OuterRef(OuterRef("item"))
    through = Assignment.objects.filter(
        item=label_item,
        annotator=OuterRef("user"),
        state__in=[Assignment.State.SUBMITTED, Assignment.State.SKIPPED],
    )
    annotators = Membership.objects.filter(project=project, role=Role.ANNOTATOR, user__is_active=True)
    return annotators.exclude(Exists(through))


@transaction.atomic
def ask_another(project: Project) -> int:
    """Open a slot more on contested items whose slots are all used up; returns how many items got one.

    Never more than one beyond the project's overlap (P2), however often this runs: a slot that was skipped or
    ran out is opened again. The sweeper calls this.
    """
    if project.contested_to != Project.ContestedTo.ANNOTATOR:
        return 0
    contested = Label.objects.filter(waits_for_another(project))
    return Item.objects.filter(
        pk__in=contested.values("item"), project=project, taken=F("wanted"), wanted__lte=project.overlap
    ).update(wanted=F("wanted") + 1)


def ask_others() -> int:
    """Do so in every project that wants it; returns how many items got a slot more."""
    wanting = Project.objects.filter(contested_to=Project.ContestedTo.ANNOTATOR)
    return sum(ask_another(project) for project in wanting)
