from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from annotate.models.project import Project


class Source(models.Model):
    """Where items come from, under which licence, and what they may be used for."""

    class Use(models.TextChoices):
        ANY = "any", _("Any")
        TRAIN = "train", _("Train")
        TEST = "test", _("Test")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=300, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    use = models.CharField(max_length=8, choices=Use, default=Use.ANY)
    withdrawn = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name", "licence", "use"], name="source_once")]

    def __str__(self) -> str:
        return self.name or "(no source given)"


class ItemKind(models.TextChoices):
    TEXT = "text", _("Text")
    PROMPT = "prompt", _("Prompt")
    PAIR = "pair", _("Pair")
    DIALOGUE = "dialogue", _("Dialogue")
    IMAGE = "image", _("Image")
    REFERENCE = "reference", _("an id that labels refer to, with nothing to show")


class Severity(models.IntegerChoices):
    """How strong an item may be: all that a notice before it says."""

    NONE = 0, _("nothing known")
    UPSETTING = 1, _("may be upsetting")
    GRAPHIC = 2, _("may be graphic")


class Purpose(models.TextChoices):
    """Why an item is asked: for its label, or to teach and check people (such items have gold answers)."""

    LABEL = "", _("to be labelled")
    WARM_UP = "warm_up", _("warm-up")
    GOLD = "gold", _("gold")


def no_codes() -> Value:
    return Value([], output_field=ArrayField(models.CharField(max_length=100)))


class Item(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="items")
    external_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=ItemKind)
    content = models.JSONField()
    content_hash = models.CharField(max_length=64)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="items")
    lang = models.CharField(max_length=20, blank=True)
    group_key = models.CharField(max_length=200, blank=True)
    parent = models.CharField(
        max_length=200, blank=True, help_text="External id of the item that this one is a copy of."
    )
    meta = models.JSONField(default=dict, blank=True)
    blocked = models.BooleanField(default=False, help_text="Must not be seen again; stops any export.")
    purpose = models.CharField(max_length=10, choices=Purpose, blank=True, db_default=Purpose.LABEL)
    # Declared by the import; what the jury suspects is kept apart, since it may never be shown (P3).
    severity = models.PositiveSmallIntegerField(choices=Severity, db_default=Severity.NONE)
    hazards = ArrayField(models.CharField(max_length=100), default=list, db_default=no_codes(), blank=True)
    suspected = ArrayField(
        models.CharField(max_length=100), default=list, db_default=no_codes(), blank=True, editable=False
    )
    # A number drawn from the id, not from what anybody thinks of the item: the order of the queue (P3).
    rank = models.BigIntegerField(editable=False)
    wanted = models.PositiveSmallIntegerField(editable=False, help_text="Overlap asked for.")
    taken = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Slots leased or submitted.")
    labels_stale = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "external_id"], name="item_id_once"),
            models.CheckConstraint(condition=Q(taken__lte=F("wanted")), name="item_overlap_kept"),
        ]
        indexes = [
            models.Index(
                fields=["project", "rank"],
                name="item_open",
                condition=Q(taken__lt=F("wanted"), blocked=False),
            ),
            models.Index(fields=["project", "id"], name="item_stale", condition=Q(labels_stale=True)),
        ]

    def __str__(self) -> str:
        return f"item {self.pk}"

    @property
    def opening(self) -> str:
        """The text that the item begins with, for lists."""
        if "turns" in self.content:
            return " / ".join(turn["text"] for turn in self.content["turns"][:3])
        return self.content.get("text") or self.content.get("prompt") or ""


class ItemImport(models.Model):
    """An upload that a worker reads in; its counts are what the page shows."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    what = models.CharField(max_length=16, choices=[("items", _("items")), ("annotations", _("annotations"))])
    file_name = models.CharField(max_length=300, help_text="As the person called it; never used as a path.")
    options = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    read = models.PositiveIntegerField(default=0)
    imported = models.PositiveIntegerField(default=0)
    rejections = models.JSONField(default=list, blank=True, help_text="The first hundred, as shown.")
    rejected = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    beat_at = models.DateTimeField(null=True, help_text="When its worker last said that it was alive.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"import {self.pk} into {self.project}"
