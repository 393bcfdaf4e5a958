"""What an annotator does with an item: answer it, skip it, be spared it, flag it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotate import assign
from annotate import submit as submitting
from annotate.access import item_for, signed_in
from annotate.errors import BadAnswers, NotAssigned, SlotTaken, StaleForm
from annotate.forms import FlagForm, SubmissionForm, read_answers
from annotate.models import Item, Role
from annotate.questions import contract_of
from annotate.views.annotating import page
from annotate.views.queueing import for_scripts, moved_on, own_answers
from annotate.views.showing import feedback_on


@require_POST
@own_answers
def submit(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    user = signed_in(request)
    if item.blocked or not submitting.was_handed(user, item):
        return _gone(request)
    form = SubmissionForm(request.POST)
    if not form.is_valid():
        return _refused(request, item, {"": _("The form was not complete.")}, 422)
    answers: dict[str, Any] = {}
    try:
        answers = read_answers(request.POST, contract_of(item.project).questions, item.kind)
        stored = submitting.submit(user, item, form.submission(answers))
    except BadAnswers as error:
        return _refused(request, item, error.problems, 422, answers)
    except (StaleForm, SlotTaken, NotAssigned) as error:
        return _refused(request, item, {"": str(error)}, 409, answers)
    # Answers that the person has changed since, in the browser: the votes are shown after the last ones.
    feedback = "" if request.POST.get("quiet") else feedback_on(request, stored)
    return moved_on(request, item.project, feedback, item.pk)


@require_POST
@own_answers
def skip(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """An ordinary skip: the person's count of them goes up."""
    return _give_back(request, slug, item_id, counted=True)


@require_POST
@own_answers
def spare(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """A skip for one's own sake: no reason is asked, and it is counted nowhere."""
    return _give_back(request, slug, item_id, counted=False)


def _give_back(request: HttpRequest, slug: str, item_id: int, *, counted: bool) -> HttpResponse:
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    assignment = submitting.assignment_of(signed_in(request), item, _repeat(request))
    if assignment is not None:
        assign.skip(assignment, counted=counted)
    return moved_on(request, item.project)


@require_POST
@own_answers
def flag(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    user = signed_in(request)
    assignment = submitting.assignment_of(user, item, _repeat(request))
    if assignment is None:
        return _gone(request)
    form = FlagForm(request.POST)
    if not form.is_valid():
        problem = _("The flag was not stored: choose a reason, and keep the note under 2000 characters.")
        return _refused(request, item, {"": problem}, 422)
    said = form.cleaned_data
    submitting.flag(user, item, said["reason"], said["note"], client_id=said["client_id"])
    assign.skip(assignment)
    return moved_on(request, item.project)


def _repeat(request: HttpRequest) -> int:
    sent = request.POST.get("repeat", "")
    return int(sent) if sent.isdecimal() and len(sent) < 5 else 0


def _gone(request: HttpRequest) -> HttpResponse:
    problem = _("This item was not handed to you, or nobody should see it again.")
    if for_scripts(request):
        return JsonResponse({"problem": problem, "problems": {}}, status=404)
    raise Http404(problem)


def _refused(
    request: HttpRequest, item: Item, problems: dict[str, str], status: int, answers: dict[str, Any] | None = None
) -> HttpResponse:
    """Nothing was stored: why, and to plain forms the page again with what was chosen."""
    if for_scripts(request):
        return JsonResponse({"problem": problems.pop("", ""), "problems": problems}, status=status)
    repeat = _repeat(request)
    return page(request, item.project, item, repeat=repeat, answers=answers, problems=problems, status=status)
