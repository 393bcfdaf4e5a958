from django.db import models
from django.utils.translation import gettext_lazy as _

from annotate.models.item import Item
from annotate.models.project import Question
from annotate.models.taxonomy import TaxonomyVersion


class Label(models.Model):
    """The label of record: one per item, part and question, with the votes behind it.

    Three-valued: a value, unsure, or absent. `value` is null unless the state is settled.
    """

    class Source(models.TextChoices):
        HUMAN_VOTE = "human_vote", _("Human Vote")
        HUMAN_ASSISTED = "human_assisted", _("human vote, some with the jury's in sight")
        ADJUDICATION = "adjudication", _("Adjudication")
        JURY = "jury", _("Jury")
        INHERITED = "inherited", _("Inherited")
        IMPORTED = "imported", _("Imported")
        AUGMENTATION = "augmentation", _("Augmentation")

    class State(models.TextChoices):
        SETTLED = "settled", _("Settled")
        CONTESTED = "contested", _("votes tie or nobody was sure: a reviewer decides")
        TOO_FEW = "too_few", _("fewer valid votes than the quorum")

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="labels")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="labels")
    part = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State)
    value = models.JSONField(null=True)
    source = models.CharField(max_length=16, choices=Source)
    confidence = models.FloatField(null=True, help_text="Share of the valid votes for the value.")
    agreement = models.FloatField(null=True, help_text="Share of pairs of valid votes that agree.")
    votes = models.JSONField(
        default=list, help_text='[{"annotation": id | "verdict": id, "voter": name, "value": value}]'
    )
    taxonomy_version = models.ForeignKey(TaxonomyVersion, null=True, on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=60, blank=True)
    decided_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "part", "question"], name="label_of_record_once")]
        indexes = [
            models.Index(fields=["question", "state"], name="label_state"),
        ]

    def __str__(self) -> str:
        return f"{self.question.code} of item {self.item_id}: {self.state}"
