from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotate.models import Item, Project


class Mix(models.Model):
    """A recipe under a name, as it stands now."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="mixes")
    name = models.CharField(max_length=100)
    recipe = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "mixes"
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="mix_name_once")]

    def __str__(self) -> str:
        return self.name


class MixVersion(models.Model):
    """A recipe followed to its end on one state of the database; never edited afterwards."""

    mix = models.ForeignKey(Mix, on_delete=models.CASCADE, related_name="versions")
    recipe = models.TextField(blank=True)
    snapshot_digest = models.CharField(max_length=64)
    dataset_digest = models.CharField(max_length=64)
    counts = models.JSONField(help_text="The manifest's counts: items, rows, dropped, cells.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mix", "recipe", "snapshot_digest", "dataset_digest"], name="mix_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.mix} {self.dataset_digest[:12]}"


class Export(models.Model):
    """One build of a mix, asked for by page; workers claim it here, messages only wake them."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    mix = models.ForeignKey(Mix, on_delete=models.CASCADE, related_name="exports")
    recipe = models.TextField(blank=True, help_text="As it stood when the build was asked for.")
    version = models.ForeignKey(MixVersion, null=True, on_delete=models.PROTECT, related_name="exports")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    phase = models.CharField(max_length=40, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    file_name = models.CharField(max_length=100, blank=True, help_text="Made by us, under FILES_DIR/exports.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export {self.pk} of {self.mix}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)


class SplitSide(models.Model):
    """The side that an item is on, for good (P6): stored at the first build that could have exported it."""

    class Side(models.TextChoices):
        TRAIN = "train", _("Train")
        TEST = "test", _("Test")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="split_sides")
    split = models.CharField(max_length=60)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="split_sides")
    side = models.CharField(max_length=5, choices=Side)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "split", "item"], name="split_side_once")]

    def __str__(self) -> str:
        return f"item {self.item_id} in {self.split}: {self.side}"
