"""Pieces of the annotate page that several of its views render."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from annotate import exposure, gold
from annotate.models import Annotation


def feedback_on(request: HttpRequest, annotation: Annotation | None) -> str:
    """What a person is told after the own answer: the explanation of a warm-up item, the split of the votes.

    Empty where there is nothing to tell. Showing the votes is recorded: later answers are not blind (P3).
    """
    if annotation is None or annotation.item.blocked:
        return ""
    context: dict[str, Any] = {
        "annotation": annotation,
        "explanation": gold.explain(annotation),
        "splits": exposure.reveal(annotation.annotator, annotation.item) if annotation.repeat == 0 else None,
    }
    if not context["explanation"] and not context["splits"]:
        return ""
    return render_to_string("annotate/_feedback.html", context, request)
