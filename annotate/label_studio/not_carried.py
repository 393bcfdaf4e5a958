"""What Label Studio's format has no place for, whatever the answers are."""

from annotate.label_studio.config import can_be_required, visible_when
from annotate.label_studio.layout import Layout
from annotate.models import Annotation, Exposure, Flag, Item, Label, Project


def left_out(project: Project, layout: Layout, annotations: int, predictions: int) -> dict[str, int]:
    """What is lost, and how many of it.

    Args:
        annotations, predictions: how many were written.
    """
    items = Item.objects.filter(project=project)
    stored = Annotation.objects.filter(item__project=project)
    judged = stored.exclude(exposure__in=[Exposure.ADJUDICATION, Exposure.POST_REVEAL])
    judgements = judged.values("item_id", "annotator_id", "part", "repeat").distinct().count()
    return {
        "items of withdrawn sources": items.filter(source__withdrawn=True).count(),
        "blocked items": items.filter(blocked=True, source__withdrawn=False).count(),
        "items' parent and other fields": items.exclude(parent="", meta={}).count(),
        "image files (tasks name them only)": items.filter(kind="image").count(),
        "items with several images (tasks show none)": items.filter(content__has_key="images").count(),
        "flags on items": Flag.objects.filter(item__project=project).count(),
        "labels of record": Label.objects.filter(item__project=project).count(),
        "older revisions of annotations": judged.count() - judgements,
        "adjudications": stored.filter(exposure=Exposure.ADJUDICATION).count(),
        "changes of mind after the votes were revealed": stored.filter(exposure=Exposure.POST_REVEAL).count(),
        "what annotators had seen of the jury (exposure)": annotations,
        f"taxonomy version ({project.taxonomy_version or 'none'}) and guidelines of annotations": annotations,
        "client ids of annotations": annotations,
        "what verdicts hold beside answers and their lowest probability": predictions,
    } | _of_questions(layout)


def _of_questions(layout: Layout) -> dict[str, int]:
    lost = {}
    for question in layout.contract.questions:
        if visible_when(layout, question) is None:
            lost[f"{question.code}: the condition under which it is asked"] = len(question.condition)
        if question.required and not can_be_required(layout, question):
            lost[f"{question.code}: that an answer is needed"] = 1
    return lost
