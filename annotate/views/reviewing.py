from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotate import adjudicate
from annotate.access import item_for, project_for, signed_in
from annotate.errors import BadAnswers
from annotate.forms import SubmissionForm, read_answers
from annotate.models import Item, Label, Project, Role
from annotate.questions import contract_of
from annotate.shown import shown_questions, text_blocks


@never_cache
@require_safe
def review(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.REVIEWER)
    return _page(request, project)


@require_POST
def decide(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    item = item_for(request, slug, item_id, Role.REVIEWER)
    form = SubmissionForm(request.POST)
    part = request.POST.get("part", "")
    if not adjudicate.may_review(signed_in(request), item, part):
        raise Http404("There is nothing to review here.")
    answers: dict[str, Any] = {}
    try:
        answers = read_answers(request.POST, contract_of(item.project).questions, item.kind)
        if not form.is_valid():
            raise BadAnswers({"": "The form was not complete."})
        adjudicate.adjudicate(signed_in(request), item, part, answers, form.cleaned_data["client_id"])
    except BadAnswers as error:
        return _page(request, item.project, item=item, part=part, answers=answers, problems=error.problems)
    if request.headers.get("HX-Request"):
        return _page(request, item.project)
    return redirect("review", slug)


def _page(
    request: HttpRequest,
    project: Project,
    *,
    item: Item | None = None,
    part: str = "",
    answers: dict[str, Any] | None = None,
    problems: dict[str, str] | None = None,
) -> HttpResponse:
    user = signed_in(request)
    queue = adjudicate.contested(project, user)
    first = queue.first() if item is None else None
    if first is not None:
        item, part = first.item, first.part
        adjudicate.show_to(user, item)
    labels = list(Label.objects.filter(item=item, part=part).select_related("question")) if item else []
    settled = {label.question.code: label.value for label in labels if label.value is not None}
    fragment = bool(request.headers.get("HX-Request"))
    context = {
        "project": project,
        "role": project.role,
        "item": item,
        "part": part,
        "blocks": text_blocks(item) if item else [],
        "labels": labels,
        "votes": adjudicate.seen_votes(labels) if labels else [],
        "questions": shown_questions(project, item, answers or settled, problems or {}) if item else [],
        "problem": (problems or {}).get("", ""),
        "client_id": uuid4(),
        "guideline": project.guideline,
        "left": queue.values("item", "part").distinct().count(),
    }
    template = "annotate/_review.html" if fragment else "annotate/review.html"
    return render(request, template, context, status=422 if problems else 200)
