from django.conf import settings
from django.db import models
from django.db.models import Q

from annotate.models.item import Item
from annotate.models.project import Guideline
from annotate.models.taxonomy import TaxonomyVersion


class Assignment(models.Model):
    """One annotator's claim on one item. A person gets an item at most once (P2)."""

    class State(models.TextChoices):
        LEASED = "leased"
        SUBMITTED = "submitted"
        SKIPPED = "skipped"
        EXPIRED = "expired"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="assignments")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=10, choices=State, default=State.LEASED)
    leased_until = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "annotator"], name="assignment_once")]
        indexes = [
            models.Index(fields=["leased_until"], name="assignment_leases", condition=Q(state="leased")),
            models.Index(
                fields=["annotator"], name="assignment_mine", condition=Q(state__in=["leased", "expired"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} for {self.annotator_id}: {self.state}"


class Exposure(models.TextChoices):
    """What the annotator had seen of the jury when answering."""

    BLIND = "blind"
    ASSISTED = "assisted"
    POST_REVEAL = "post_reveal"
    ADJUDICATION = "adjudication"
    IMPORTED = "imported", "made elsewhere, not known"


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def votes(self) -> "AnnotationQuerySet":
        """Each annotator's first judgement of each item and part, in its newest revision.

        Adjudications are left out: they settle a label, they don't vote on it.
        """
        return (
            self.filter(repeat=0)
            .exclude(exposure=Exposure.ADJUDICATION)
            .order_by("item_id", "annotator_id", "part", "-revision")
            .distinct("item_id", "annotator_id", "part")
        )

    def adjudications(self) -> "AnnotationQuerySet":
        """The newest decision on each item and part."""
        return (
            self.filter(exposure=Exposure.ADJUDICATION)
            .order_by("item_id", "part", "-id")
            .distinct("item_id", "part")
        )


class Annotation(models.Model):
    """A person's answers, immutable: a change of mind is a new revision (P1; a trigger holds it)."""

    # The unique constraints below begin with these columns; indexes of their own would only slow imports.
    item = models.ForeignKey(Item, on_delete=models.CASCADE, db_index=False, related_name="annotations")
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, related_name="annotations"
    )
    part = models.CharField(
        max_length=100, blank=True, help_text="Set where judgements of one item are about different parts."
    )
    repeat = models.PositiveIntegerField(
        default=0, help_text="0 for the first judgement; later ones by the same person count as repeats."
    )
    revision = models.PositiveSmallIntegerField(default=1)
    answers = models.JSONField()
    exposure = models.CharField(max_length=16, choices=Exposure)
    taxonomy_version = models.ForeignKey(TaxonomyVersion, null=True, on_delete=models.PROTECT, related_name="+")
    guideline = models.ForeignKey(Guideline, null=True, on_delete=models.PROTECT, related_name="+")
    client_id = models.UUIDField(help_text="Made by the browser: the same submit sent twice is stored once.")
    seconds = models.FloatField(null=True, help_text="Time on the item.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["annotator", "client_id"], name="annotation_submit_once"),
            models.UniqueConstraint(
                fields=["item", "annotator", "part", "repeat", "exposure", "revision"],
                name="annotation_revision_once",
            ),
        ]

    def __str__(self) -> str:
        return f"annotation {self.pk} of item {self.item_id}"


class Flag(models.Model):
    """Something is wrong with an item, said by a person or found by a check."""

    class Reason(models.TextChoices):
        BROKEN = "broken", "broken or unreadable"
        PERSONAL_DATA = "personal_data", "personal data"
        NOT_AGAIN = "not_again", "nobody should have to see this again"
        GUIDELINE_GAP = "guideline_gap", "the guidelines don't say"
        OTHER = "other", "something else"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="flags")
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.reason} on item {self.item_id}"
