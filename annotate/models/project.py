from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from annotate.models.people import Membership, Role, User
from annotate.models.taxonomy import TaxonomyVersion


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User) -> "ProjectQuerySet":
        """Admins see all projects, everybody else those that they are members of."""
        if user.is_staff:
            return self
        return self.filter(memberships__user=user)

    def with_counts(self) -> "ProjectQuerySet":
        """Each project with `items_count`, `members_count` and its taxonomy at hand."""

        def count(related: str) -> Coalesce:
            of_project = Project.objects.filter(pk=OuterRef("pk")).values("pk")
            return Coalesce(Subquery(of_project.annotate(n=Count(related)).values("n")), 0)

        return self.select_related("taxonomy_version__taxonomy").annotate(
            items_count=count("items"), members_count=count("memberships")
        )

    def reached_by(self, user: User, slug: str) -> "Project | None":
        """The project with the person's role on it; None where the person has no part in it (one query).

        Admins count as leads everywhere.
        """
        if user.is_staff:
            project = self.filter(slug=slug).first()
            if project is not None:
                project.role = Role.LEAD
            return project
        membership = Membership.objects.filter(user=user, project__slug=slug).select_related("project").first()
        if membership is None:
            return None
        membership.project.role = Role(membership.role)
        return membership.project


class SavedFilter(models.Model):
    """A named choice of a project's items: the list, the queue and a mix's recipe use the same."""

    project = models.ForeignKey("annotate.Project", on_delete=models.CASCADE, related_name="saved_filters")
    name = models.SlugField(max_length=60)
    conditions = models.JSONField(help_text="As `annotate.filters` reads them.")
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="filter_name_once")]

    def __str__(self) -> str:
        return self.name


def share(default: float, help_text: Any) -> models.FloatField:
    """A field for a share from 0 to 1."""
    return models.FloatField(
        db_default=default, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)], help_text=help_text
    )


class Project(models.Model):
    class ExposurePolicy(models.TextChoices):
        BLIND = "blind", _("blind: nobody sees what others or the jury said")
        REVEAL = "reveal", _("blind, and the votes are shown after the answer")
        ASSISTED = "assisted", _("assisted: the jury's votes stand beside the item")

    class ContestedTo(models.TextChoices):
        REVIEWER = "reviewer", _("a reviewer")
        ANNOTATOR = "annotator", _("one more annotator, then a reviewer")

    class Voters(models.TextChoices):
        PEOPLE_FIRST = "people_first", _("people where they reach the quorum, else the jury")
        POOLED = "pooled", _("people and jury together, one vote each")
        PEOPLE = "people", _("people only")
        JURY = "jury", _("the jury only")

    slug = models.SlugField(unique=True, max_length=60)
    title = models.CharField(max_length=200)
    taxonomy_version = models.ForeignKey(
        TaxonomyVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="projects",
        limit_choices_to={"published_at__isnull": False},
    )
    overlap = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1)], help_text="How many annotators each item gets."
    )
    label_rule = models.CharField(max_length=20, default="majority", choices=[("majority", "majority")])
    voters = models.CharField(max_length=16, choices=Voters, default=Voters.PEOPLE_FIRST)
    quorum = models.PositiveSmallIntegerField(
        default=2,
        validators=[MinValueValidator(1)],
        help_text="The fewest valid votes that may settle a label.",
    )
    exposure_policy = models.CharField(
        max_length=10,
        choices=ExposurePolicy,
        db_default=ExposurePolicy.BLIND,
        verbose_name=_("What annotators see"),
    )
    blind_share = share(
        0.1, _("Where work is assisted: the share of items that stays blind, to measure the shift.")
    )
    gold_rate = share(0.0, _("How often a gold item comes instead of a new one."))
    repeat_rate = share(0.0, _("How often an item that the person answered before comes again."))
    pass_mark = share(0.8, _("The share of warm-up items that must be right before work begins."))
    contested_to = models.CharField(
        max_length=10,
        choices=ContestedTo,
        db_default=ContestedTo.REVIEWER,
        verbose_name=_("Who settles contested items"),
    )
    severe_in_row = models.PositiveSmallIntegerField(
        db_default=3, validators=[MinValueValidator(1)], help_text=_("Never more severe items than this in a row.")
    )
    severe_per_session = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Most severe items a sitting; empty: no cap.")
    )
    severe_per_day = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Most severe items a person and day; empty: no cap.")
    )
    severe_categories = ArrayField(
        models.CharField(max_length=100),
        default=list,
        db_default=Value([], output_field=ArrayField(models.CharField(max_length=100))),
        blank=True,
        help_text=_("Codes of categories or groups whose items count as severe."),
    )
    jury_informs_care = models.BooleanField(
        db_default=False,
        help_text=_("Count what the jury suspects towards the caps, too. It is never shown."),
    )
    care_note = models.TextField(
        blank=True, db_default="", help_text=_("Where people find help; shown with every break and check-in.")
    )
    queue_filter = models.ForeignKey(
        SavedFilter,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Only items that this filter finds are handed out."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title

    # Of the person that this row was fetched for; `annotate.access` sets it.
    role: Role | None = None

    @cached_property
    def guideline(self) -> "Guideline | None":
        """The guidelines in force when first asked for: the newest version."""
        return self.guidelines.order_by("-version").first()

    @cached_property
    def asked_questions(self) -> "list[Question]":
        """The questions in order, fetched once for this row."""
        return list(self.questions.all())

    def forget_fetched(self) -> None:
        """Fetch guidelines and questions anew when next asked for; whoever changes them calls this."""
        for name in ("guideline", "asked_questions"):
            self.__dict__.pop(name, None)


class Guideline(models.Model):
    """One published version of a project's guidelines; never edited afterwards."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField()
    text = models.TextField()
    changes = models.TextField(blank=True, db_default="", help_text="What changed, for people who know the last.")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "version"], name="guideline_version_once")]

    def __str__(self) -> str:
        return f"{self.project} guidelines {self.version}"


class QuestionKind(models.TextChoices):
    CHOICE = "choice", _("Choice")
    SCALE = "scale", _("Scale")
    CATEGORIES = "categories", _("Categories")
    TURNS = "turns", _("Turns")
    SPANS = "spans", _("Spans")
    TEXT = "text", _("Text")


class Question(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="questions")
    code = models.SlugField(max_length=60)
    text = models.CharField(max_length=500)
    kind = models.CharField(max_length=16, choices=QuestionKind)
    options = models.JSONField(
        default=list,
        blank=True,
        help_text="The values that may be chosen, in order; 1, 1.0 and '1' are different values.",
    )
    ordinal = models.BooleanField(default=False, help_text="The options stand in an order that has a meaning.")
    part = models.CharField(
        max_length=40,
        default="whole",
        help_text="What of the item it is about: whole, prompt, response, turn, image.",
    )
    condition = models.JSONField(
        default=list,
        blank=True,
        help_text='Ask if any of these holds: [{"question": "prompt_harm", "is": "unsafe"}]; empty: always.',
    )
    required = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="question_code_once")]

    def __str__(self) -> str:
        return f"{self.project.slug}: {self.code}"

    def clean(self) -> None:
        """What an admin types as JSON must be of the shape that the answer contract relies on."""
        if not isinstance(self.options, list) or any(isinstance(option, dict | list) for option in self.options):
            raise ValidationError({"options": "must be a list of values"})
        gates = self.condition if isinstance(self.condition, list) else [None]
        if any(not isinstance(gate, dict) or gate.keys() != {"question", "is"} for gate in gates):
            raise ValidationError({"condition": 'must look like [{"question": "prompt_harm", "is": "unsafe"}]'})
