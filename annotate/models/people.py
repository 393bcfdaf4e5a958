from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person. Annotators whose labels were made elsewhere are people too, but can't sign in."""

    imported_into = models.ForeignKey(
        "annotate.Project",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="imported_annotators",
        help_text="Set for an annotator known only from imported annotations of this project.",
    )

    @property
    def shown_name(self) -> str:
        """The name that pages and exports use: an imported annotator's own, without the project."""
        if self.imported_into_id is None:
            return self.get_full_name() or self.username
        return self.username.partition("/")[2]


class Role(models.TextChoices):
    ANNOTATOR = "annotator", _("Annotator")
    REVIEWER = "reviewer", _("Reviewer")
    LEAD = "lead", _("Lead")


class Membership(models.Model):
    """What a person may do in a project: a reviewer may annotate, a lead may do all."""

    project = models.ForeignKey("annotate.Project", on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)
    skipped = models.PositiveIntegerField(
        db_default=0, editable=False, help_text="Ordinary skips; those for one's own sake are counted nowhere."
    )
    qualified_at = models.DateTimeField(
        null=True, blank=True, help_text="When this person passed the warm-up, or a lead said that they need not."
    )
    guideline_seen = models.PositiveIntegerField(
        db_default=0,
        editable=False,
        help_text="The newest version of the guidelines that this person was told of.",
    )
    submitted = models.PositiveIntegerField(default=0, editable=False, help_text="Items this person answered.")
    last_rank = models.BigIntegerField(
        null=True, editable=False, help_text="Where this person stands in the project's order of items."
    )

    # Whether there is a warm-up for this row's person; `annotate.gold` finds it out once.
    has_warm_up: bool | None = None

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}: {self.role}"
