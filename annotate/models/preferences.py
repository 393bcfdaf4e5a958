from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotate.models.people import User
from annotate.models.project import Project
from annotate.models.taxonomy import Taxonomy


class Preferences(models.Model):
    """How a person likes the page, and what protects them. Nobody else sees it."""

    class Veil(models.TextChoices):
        OFF = "off", _("no veil")
        HOLD = "hold", _("lifted while the key is held")
        STAY = "stay", _("stays lifted until the next item")

    class Veiled(models.TextChoices):
        ALL = "all", _("every item")
        NOTICED = "noticed", _("items with a notice")

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", _("comfortable")
        COMPACT = "compact", _("compact")

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preferences")
    language = models.CharField(max_length=10, blank=True)
    density = models.CharField(max_length=12, choices=Density, default=Density.COMFORTABLE)
    auto_advance = models.BooleanField(
        default=False, help_text=_("Submit as soon as every question is answered; hazards still wait for Enter.")
    )
    single_keys = models.BooleanField(default=True)
    keys = models.JSONField(default=dict, blank=True, help_text="Command to key, where not the usual one.")
    veil = models.CharField(max_length=4, choices=Veil, default=Veil.OFF)
    veiled = models.CharField(max_length=8, choices=Veiled, default=Veiled.NOTICED)
    break_after = models.PositiveSmallIntegerField(
        default=50, validators=[MinValueValidator(5), MaxValueValidator(240)], help_text=_("Minutes.")
    )
    # A person may ask for less than the project's caps, never for more.
    severe_in_row = models.PositiveSmallIntegerField(null=True, blank=True)
    severe_per_session = models.PositiveSmallIntegerField(null=True, blank=True)
    severe_per_day = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"preferences of user {self.user_id}"


class OptOut(models.Model):
    """A group of hazards, or one, that a person does not want to see. Private: no page of others shows it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="opt_outs")
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(max_length=100, help_text="Of a category or a group; codes are stable for life.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "taxonomy", "code"], name="opt_out_once")]

    def __str__(self) -> str:
        return f"opt-out {self.pk}"


class Sitting(models.Model):
    """A person's stretch of work in a project; a rest ends it, and the dose of a sitting begins anew."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "project"], name="sitting_once")]

    def __str__(self) -> str:
        return f"sitting of user {self.user_id} since {self.started_at}"
