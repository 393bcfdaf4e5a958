from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotate import assign
from annotate import submit as submitting
from annotate.access import item_for, project_for, signed_in
from annotate.errors import BadAnswers, NotAssigned, SlotTaken, StaleForm
from annotate.forms import FlagForm, SubmissionForm, read_answers
from annotate.images import image_path, media_type
from annotate.models import Assignment, Flag, Item, Project, Role
from annotate.progress import progress_of
from annotate.questions import contract_of
from annotate.shown import shown_questions, text_blocks


@never_cache
@require_safe
def annotate(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug)
    assignment = assign.next_item(signed_in(request), project)
    return _page(request, project, assignment.item if assignment else None)


@never_cache
@require_safe
def reopen(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """An item that this person has answered, with the answers, to change them."""
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    earlier = submitting.newest_annotation(signed_in(request), item)
    if earlier is None or item.blocked:
        raise Http404("You have not answered this item, or nobody should see it again.")
    return _page(request, item.project, item, answers=earlier.answers, again=True)


@require_safe
def image(request: HttpRequest, slug: str, item_id: int) -> FileResponse:
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    if item.project.role == Role.ANNOTATOR and not submitting.was_handed(signed_in(request), item):
        raise Http404("This item was not handed to you.")
    path = image_path(item)
    kind = media_type(path) if path.is_file() and not item.blocked else None
    if kind is None:
        raise Http404("This item has no image here.")
    sandbox = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return FileResponse(open(path, "rb"), content_type=kind, headers=sandbox)


@require_POST
def submit(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    if item.blocked or not submitting.was_handed(signed_in(request), item):
        raise Http404("This item was not handed to you, or nobody should see it again.")
    form = SubmissionForm(request.POST)
    if not form.is_valid():
        return _page(request, item.project, item, problems={"": "The form was not complete."}, status=422)
    answers: dict[str, Any] = {}
    try:
        answers = read_answers(request.POST, contract_of(item.project).questions, item.kind)
        submitting.submit(signed_in(request), item, form.submission(answers))
    except BadAnswers as error:
        return _page(request, item.project, item, answers=answers, problems=error.problems, status=422)
    except (StaleForm, SlotTaken, NotAssigned) as error:
        return _page(request, item.project, item, answers=answers, problems={"": str(error)}, status=409)
    return _next(request, item.project)


@require_POST
def skip(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    assignment = Assignment.objects.filter(item=item, annotator=signed_in(request)).first()
    if assignment is not None:
        assign.skip(assignment)
    return _next(request, item.project)


@require_POST
def flag(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    user = signed_in(request)
    assignment = Assignment.objects.filter(item=item, annotator=user).first()
    form = FlagForm(request.POST)
    if assignment is None:
        raise Http404("This item was not handed to you.")
    if not form.is_valid():
        problem = "The flag was not stored: choose a reason, and keep the note under 2000 characters."
        return _page(request, item.project, item, problems={"": problem}, status=422)
    submitting.flag(user, item, form.cleaned_data["reason"], form.cleaned_data["note"])
    assign.skip(assignment)
    return _next(request, item.project)


@require_POST
def undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Back to the item answered last; the stored answers stay until new ones are submitted."""
    project = project_for(request, slug)
    last = submitting.last_submitted(signed_in(request), project)
    if last is None:
        messages.info(request, "There is nothing to go back to.")
        return _next(request, project)
    return redirect("reopen", slug, last.pk)


def _next(request: HttpRequest, project: Project) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect("annotate", project.slug)
    assignment = assign.next_item(signed_in(request), project)
    return _page(request, project, assignment.item if assignment else None)


def _page(
    request: HttpRequest,
    project: Project,
    item: Item | None,
    *,
    answers: dict[str, Any] | None = None,
    problems: dict[str, str] | None = None,
    again: bool = False,
    status: int = 200,
) -> HttpResponse:
    user = signed_in(request)
    fragment = bool(request.headers.get("HX-Request")) and not request.headers.get("HX-History-Restore-Request")
    template = "annotate/_item.html" if fragment else "annotate/annotate.html"
    context = {
        "project": project,
        "role": project.role,
        "item": item,
        "blocks": text_blocks(item) if item else [],
        "questions": shown_questions(project, item, answers or {}, problems or {}) if item else [],
        "problem": (problems or {}).get("", ""),
        "again": again,
        "client_id": uuid4(),
        "guideline": project.guideline,
        "flag_reasons": Flag.Reason.choices,
        "mine": submitting.count_submitted(user, project),
        "progress": None if item else progress_of(project, user),
    }
    return render(request, template, context, status=status)
