from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotate.models.item import Item, Purpose
from annotate.models.project import Guideline
from annotate.models.taxonomy import TaxonomyVersion


class Exposure(models.TextChoices):
    """What the annotator had seen of the jury when answering."""

    BLIND = "blind", _("blind")
    ASSISTED = "assisted", _("assisted")
    POST_REVEAL = "post_reveal", _("after the reveal")
    ADJUDICATION = "adjudication", _("adjudication")
    IMPORTED = "imported", _("made elsewhere, not known")


class Assignment(models.Model):
    """One annotator's claim on one item. A person gets an item at most once (P2), but for asked repeats."""

    class State(models.TextChoices):
        LEASED = "leased"
        SUBMITTED = "submitted"
        SKIPPED = "skipped"
        EXPIRED = "expired"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="assignments")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    repeat = models.PositiveSmallIntegerField(
        db_default=0, help_text="Above 0: the same item again, to see whether the answers stay. Takes no slot."
    )
    exposure = models.CharField(max_length=16, choices=Exposure, db_default=Exposure.BLIND)
    shown = models.JSONField(
        null=True, help_text='What was shown beside the item: {"notice": band, "votes": [...]}; null: nothing.'
    )
    state = models.CharField(max_length=10, choices=State, default=State.LEASED)
    leased_until = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "annotator", "repeat"], name="assignment_once")]
        indexes = [
            models.Index(fields=["leased_until"], name="assignment_leases", condition=Q(state="leased")),
            models.Index(
                fields=["annotator"], name="assignment_mine", condition=Q(state__in=["leased", "expired"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} for {self.annotator_id}: {self.state}"

    @property
    def takes_slot(self) -> bool:
        """Whether it counts towards the item's overlap; gold items and repeats don't."""
        return self.repeat == 0 and self.item.purpose == Purpose.LABEL


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def votes(self) -> "AnnotationQuerySet":
        """Each annotator's first judgement of each item and part, in its newest revision.

        Adjudications are left out: they settle a label, they don't vote on it. So is a change of mind after
        the reveal: it is kept beside the vote, which was made before anything was seen.
        """
        return (
            self.filter(repeat=0)
            .exclude(exposure__in=[Exposure.ADJUDICATION, Exposure.POST_REVEAL])
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


class ReviewReason(models.TextChoices):
    """Why a reviewer's decision differs from some of the votes."""

    SLIP = "slip", _("a slip of the key")
    OVERLOOKED = "overlooked", _("something in the item was overlooked")
    MISREAD_RULE = "misread_rule", _("the guidelines were read differently")
    GUIDELINE_GAP = "guideline_gap", _("the guidelines don't say")
    AMBIGUOUS = "ambiguous", _("the item allows both readings")
    OTHER = "other", _("something else")


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
    reason = models.CharField(max_length=20, choices=ReviewReason, blank=True, db_default="")
    rationale = models.TextField(blank=True, db_default="", help_text="Why, in the person's own words.")
    exposure = models.CharField(max_length=16, choices=Exposure)
    taxonomy_version = models.ForeignKey(TaxonomyVersion, null=True, on_delete=models.PROTECT, related_name="+")
    guideline = models.ForeignKey(Guideline, null=True, on_delete=models.PROTECT, related_name="+")
    client_id = models.UUIDField(help_text="Made by the browser: the same submit sent twice is stored once.")
    seconds = models.FloatField(null=True, help_text="Time on the item, without breaks.")
    shown = models.JSONField(
        null=True,
        help_text='What was seen beside the item: {"notice": band, "veil": state, "votes": [...]}; null: nothing.',
    )
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
        BROKEN = "broken", _("broken or unreadable")
        PERSONAL_DATA = "personal_data", _("personal data")
        GUIDELINE_GAP = "guideline_gap", _("the guidelines don't say")
        NOT_MY_FIELD = "not_my_field", _("outside what I can judge")
        NOT_AGAIN = "not_again", _("nobody should have to see this again")
        OTHER = "other", _("something else")

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="flags")
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.TextField(blank=True)
    category = models.CharField(max_length=100, blank=True, db_default="", help_text="Code of the category meant.")
    client_id = models.UUIDField(null=True, help_text="Made by the browser: sent twice, it is stored once.")
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["raised_by", "client_id"], name="flag_once")]

    def __str__(self) -> str:
        return f"{self.reason} on item {self.item_id}"


class Reveal(models.Model):
    """The votes on an item were shown to a person after their own submit; later answers are not blind."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="reveals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    votes = models.JSONField(help_text='What was shown: [{"annotation": id | "verdict": id}].')
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "person"], name="reveal_once")]

    def __str__(self) -> str:
        return f"item {self.item_id} revealed to {self.person_id}"


class Gold(models.Model):
    """The known answers of a gold item, and why they are right."""

    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="gold")
    answers = models.JSONField()
    explanation = models.TextField(blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"gold answers of item {self.item_id}"
