"""The annotate page's talk with its scripts, and the plain posts of the same forms: hand out, take back, store."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from annotate import assign
from annotate import submit as submitting
from annotate.access import project_for, signed_in
from annotate.care import waiting_reason
from annotate.gold import failed_warm_up
from annotate.models import Annotation, Assignment, Project
from annotate.progress import progress_of
from annotate.shown import form_values, shown_item

MOST = 8
View = Callable[..., HttpResponse]


def for_scripts(request: HttpRequest) -> bool:
    """Whether the page's scripts ask; plain forms get pages and redirects."""
    return request.headers.get("Accept", "").startswith("application/json")


def own_answers(view: View) -> View:
    """Refuse, before anything is looked up, what one person left in a browser that another uses now."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.POST.get("person")
        if person is not None and person != str(signed_in(request).pk):
            return JsonResponse({"problem": _("Somebody else is signed in now.")}, status=401)
        return view(request, *args, **kwargs)

    return guarded


@never_cache
@require_POST
@own_answers
def queue(request: HttpRequest, slug: str) -> HttpResponse:
    """The items that this person holds now, up to eight, with everything that is needed to answer them."""
    project = project_for(request, slug)
    user = signed_in(request)
    held = assign.next_items(user, project, MOST)
    for assignment in held:
        assignment.item.project = project
    return JsonResponse(
        {
            "items": [shown_item(request, assignment) for assignment in held],
            "empty": "" if held else nothing_left(request, project),
            "mine": submitting.count_submitted(user, project),
            "taxonomy_version": project.taxonomy_version_id,
            "guideline": project.guideline.pk if project.guideline else None,
        }
    )


@require_POST
@own_answers
def release(request: HttpRequest, slug: str) -> HttpResponse:
    """Take back items that a page held but never showed: fields `held`, each an assignment's id and its lease."""
    project = project_for(request, slug)
    held: dict[int, datetime] = {}
    for pair in request.POST.getlist("held")[: 2 * MOST]:
        number, _blank, until = pair.partition(" ")
        try:
            moment = parse_datetime(until)
        except ValueError:
            moment = None
        if not number.isdecimal() or len(number) > 18 or moment is None or moment.tzinfo is None:
            return JsonResponse({"problem": _("This is not a lease.")}, status=422)
        held[int(number)] = moment
    return JsonResponse({"released": assign.release(signed_in(request), project, held)})


def reopened(request: HttpRequest, assignment: Assignment, annotation: Annotation | None) -> dict[str, Any]:
    """An item of the queue's shape with the answers that are stored for it; none: null."""
    answers = None if annotation is None else form_values(assignment.item.project, annotation.answers)
    return shown_item(request, assignment) | {"answers": answers}


def nothing_left(request: HttpRequest, project: Project) -> str:
    """Why there is no item for this person now, as HTML."""
    user = signed_in(request)
    context = {
        "project": project,
        "mine": submitting.count_submitted(user, project),
        "progress": progress_of(project, user),
        "waiting": waiting_reason(user, project),
        "warm_up": failed_warm_up(user, project),
    }
    return render_to_string("annotate/_empty.html", context, request)


def moved_on(request: HttpRequest, project: Project, feedback: str = "", last: int | None = None) -> HttpResponse:
    """The answer to something that was stored: to scripts what is new, to plain forms the next item."""
    if for_scripts(request):
        mine = submitting.count_submitted(signed_in(request), project)
        return JsonResponse({"mine": mine, "feedback": feedback})
    answer = redirect("annotate", project.slug)
    if feedback:
        answer["Location"] += f"?last={last}"
    return answer
