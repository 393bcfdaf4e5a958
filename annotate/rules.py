"""Change how a project asks and weighs: overlap, quorum, whose votes count."""

from django.db import connection, transaction

from annotate.models import Item, Project


@transaction.atomic
def set_overlap(project: Project, overlap: int) -> None:
    """Ask for another number of annotators; items that already have more keep what they have."""
    Project.objects.filter(pk=project.pk).update(overlap=overlap)
    project.overlap = overlap
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE annotate_item SET wanted = greatest(taken, %s) "
            "WHERE project_id = %s AND kind <> 'reference' AND purpose = ''",
            [overlap, project.pk],
        )


@transaction.atomic
def set_weighing(project: Project, *, quorum: int, voters: str) -> None:
    """Settle labels by another rule; all of them are weighed again."""
    Project.objects.filter(pk=project.pk).update(quorum=quorum, voters=Project.Voters(voters))
    project.quorum, project.voters = quorum, Project.Voters(voters)
    Item.objects.filter(project=project, labels_stale=False).update(labels_stale=True)
