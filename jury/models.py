from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotate.models import Item, Project


class Juror(models.Model):
    """A model with a prompt version, or a local method, that answers questions about items."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    adapter = models.CharField(max_length=40, help_text="A kind from jury/adapters.")
    model = models.CharField(max_length=200, blank=True, help_text="The served model's name; empty if local.")
    endpoint = models.CharField(
        max_length=60, blank=True, help_text="A name from JURY_ENDPOINTS; empty for local jurors."
    )
    base_family = models.CharField(max_length=60, blank=True)
    questions = models.JSONField(
        default=list, blank=True, help_text="Codes of the questions it may answer; empty: all that it can."
    )
    category_map = models.JSONField(
        default=dict,
        blank=True,
        help_text='Its own codes to the project\'s: {"S1": ["violence"]}. Others give no category vote.',
    )
    params = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True, help_text="Asked in new runs, and counted in labels.")

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """What an admin types as JSON must be of the shape that adapters rely on."""
        if not isinstance(self.questions, list) or not all(isinstance(code, str) for code in self.questions):
            raise ValidationError({"questions": "must be a list of question codes"})
        if not isinstance(self.category_map, dict) or not all(map(_is_codes, self.category_map.values())):
            raise ValidationError({"category_map": 'must look like {"S1": ["violence"]}'})
        if not isinstance(self.params, dict) or not all(map(_is_amount, self.params.values())):
            raise ValidationError({"params": "must map names to numbers of at least 0"})
        concurrency = self.params.get("concurrency", 1)
        if type(concurrency) is not int or concurrency < 1 or self.params.get("timeout_seconds", 1) <= 0:
            raise ValidationError({"params": "concurrency must be a whole number from 1, timeout_seconds above 0"})


def _is_codes(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(code, str) for code in value)


def _is_amount(value: object) -> bool:
    return type(value) in (int, float) and value >= 0  # type: ignore[operator]


class Cue(models.Model):
    """A term or phrase that an admin ties to a category; `*` ends a word stem, nothing else is special."""

    juror = models.ForeignKey(Juror, on_delete=models.CASCADE, related_name="cues")
    category = models.CharField(max_length=100)
    term = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["juror", "category", "term"], name="cue_once")]

    def __str__(self) -> str:
        return f"{self.category}: {self.term}"


class Panel(models.Model):
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    jurors = models.ManyToManyField(Juror, related_name="panels")

    def __str__(self) -> str:
        return self.title


class Run(models.Model):
    """One panel over one project's items."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    notes = models.JSONField(default=list, blank=True, help_text="Why a juror sat out, in words.")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project"], name="run_one_at_a_time", condition=Q(state="running"))
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.panel} over {self.project}"


class Seat(models.Model):
    """A juror's place in a run: the prompt version it was planned with and what it was given to go by."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="seats")
    juror = models.ForeignKey(Juror, on_delete=models.CASCADE, related_name="seats")
    prompt_version = models.CharField(max_length=64)
    material = models.JSONField(
        null=True,
        help_text="Frozen for the whole run: a cue list, or the labels that a learned juror learns from.",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "juror"], name="seat_once")]

    def __str__(self) -> str:
        return f"{self.juror} in run {self.run_id}"


class Work(models.Model):
    """One item for one juror in one run: claimed with a lease, parked after three attempts."""

    class State(models.TextChoices):
        DUE = "due"
        DONE = "done", _("Done")
        PARKED = "parked"

    seat = models.ForeignKey(Seat, on_delete=models.CASCADE, related_name="work", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, help_text="Not before this is it anybody's to claim.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was parked; never item text.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seat", "item"], name="work_once")]
        indexes = [
            models.Index(fields=["seat", "attempts", "id"], name="work_due", condition=Q(state="due")),
        ]

    def __str__(self) -> str:
        return f"work {self.pk}: {self.state}"


class Failure(models.TextChoices):
    """Why a verdict has no answers (P4): each is said by name, none counts as a vote."""

    REFUSED = "refused", _("Refused")
    UNPARSEABLE = "unparseable", _("Unparseable")
    TRUNCATED = "truncated", _("Truncated")
    TIMEOUT = "timeout", _("Timeout")
    TOO_LONG = "too_long", _("Too Long")
    ERROR = "error", _("Error")
    ABSTAINED = "abstained", _("the juror has nothing to go by")


# What may turn out otherwise another time: a later run asks again.
PASSING = (Failure.TIMEOUT, Failure.ERROR)


class Verdict(models.Model):
    """A juror's parsed answers about an item, or a named failure."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="verdicts", db_index=False)
    juror = models.ForeignKey(Juror, on_delete=models.PROTECT, related_name="verdicts")
    prompt_version = models.CharField(max_length=64)
    part = models.CharField(max_length=100, blank=True)
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="verdicts")
    answers = models.JSONField(null=True)
    covered_categories = models.JSONField(
        null=True,
        help_text="The categories that it can name (null: all): silence about another is no vote against it.",
    )
    probabilities = models.JSONField(
        null=True, help_text='As the juror says them, not calibrated: {"prompt_harm": {"\\"unsafe\\"": 0.8}}.'
    )
    failure = models.CharField(max_length=12, choices=Failure, blank=True)
    flags = models.JSONField(default=list, blank=True)
    raw = models.TextField(blank=True)
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    latency_ms = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "juror", "prompt_version", "part"], name="verdict_once"),
            models.CheckConstraint(
                condition=(Q(answers__isnull=False) & Q(failure="")) | (Q(answers__isnull=True) & ~Q(failure="")),
                name="verdict_answers_or_failure",
            ),
        ]

    def __str__(self) -> str:
        return f"verdict {self.pk} of juror {self.juror_id} on item {self.item_id}"
