from dataclasses import asdict
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotate import assign, trainer
from annotate import submit as submitting
from annotate.access import item_for, project_for, signed_in
from annotate.keys import COMMANDS, usable
from annotate.models import Assignment, Flag, Item, Preferences, Project, Role
from annotate.my_work import unseen_guideline
from annotate.shown import blocks_context, form_values, item_facts, shown_questions
from annotate.views.queueing import for_scripts, nothing_left, own_answers, reopened
from annotate.views.showing import feedback_on

SHEET = ("auto_advance", "single_keys", "veil", "veiled", "break_after")


@never_cache
@require_safe
def annotate(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug)
    user = signed_in(request)
    assignment = assign.next_item(user, project)
    last = request.GET.get("last", "")
    earlier = Item.objects.filter(project=project, pk=last).first() if last.isdecimal() else None
    feedback = feedback_on(request, submitting.newest_annotation(user, earlier)) if earlier else ""
    if assignment is None:
        return page(request, project, None, feedback=feedback)
    assignment.item.project = project
    again = assignment.repeat
    return page(request, project, assignment.item, assignment=assignment, repeat=again, feedback=feedback)


@never_cache
@require_safe
def reopen(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """An item that this person has answered, with the answers, to change them.

    Scripts also ask for one that could not be stored: it was handed to the person, but has no answers here.
    """
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    user = signed_in(request)
    asked = request.GET.get("repeat", "0")
    repeat = int(asked) if asked.isdecimal() and len(asked) < 5 else 0
    earlier = submitting.newest_annotation(user, item, repeat)
    assignment = submitting.assignment_of(user, item, repeat)
    if item.blocked or assignment is None or (earlier is None and not for_scripts(request)):
        raise Http404("You have not answered this item, or nobody should see it again.")
    if for_scripts(request):
        return JsonResponse(reopened(request, assignment, earlier))
    answers = earlier.answers if earlier else {}
    return page(request, item.project, item, repeat=repeat, answers=answers, again=True)


@require_POST
@own_answers
def undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Back to the item answered last; the stored answers stay until new ones are submitted."""
    project = project_for(request, slug)
    last = submitting.last_submitted(signed_in(request), project)
    if for_scripts(request):
        items = [reopened(request, assignment, annotation) for assignment, annotation in last]
        return JsonResponse({"items": items})
    if not last:
        messages.info(request, _("There is nothing to go back to."))
        return redirect("annotate", slug)
    assignment, _annotation = last[0]
    address = redirect("reopen", slug, assignment.item_id)
    if assignment.repeat:
        address["Location"] += f"?repeat={assignment.repeat}"
    return address


@require_safe
def key_trainer(request: HttpRequest, slug: str) -> HttpResponse:
    """Made-up prompts to practise the keys on; nothing is stored."""
    project = project_for(request, slug)
    context = _workplace(request, project)
    drill = trainer.exercises(project, context["keys"])
    context |= {
        "questions": shown_questions(project, None, {}, {}, every=True),
        "exercises": [asdict(exercise) for exercise in drill],
        "prompts": trainer.prompts(),
    }
    return render(request, "annotate/key_trainer.html", context)


def page(
    request: HttpRequest,
    project: Project,
    item: Item | None,
    *,
    assignment: Assignment | None = None,
    repeat: int = 0,
    answers: dict[str, Any] | None = None,
    problems: dict[str, str] | None = None,
    again: bool = False,
    feedback: str = "",
    status: int = 200,
) -> HttpResponse:
    """The whole page with one item, complete without scripts; or with the reason why there is none."""
    user = signed_in(request)
    if item is not None and assignment is None:
        assignment = submitting.assignment_of(user, item, repeat)
    context = _workplace(request, project) | {
        **(blocks_context(item, assignment) if item else {"item": None}),
        "assignment": assignment,
        "facts": item_facts(item, repeat) if item else {},
        "questions": shown_questions(project, item, answers or {}, problems or {}, every=True),
        "answers": form_values(project, answers or {}),
        "problem": (problems or {}).get("", ""),
        "again": again,
        "feedback": feedback,
        "empty": "" if item else nothing_left(request, project),
    }
    return render(request, "annotate/annotate.html", context, status=status)


def _workplace(request: HttpRequest, project: Project) -> dict[str, Any]:
    """What the page holds whichever item it shows."""
    user = signed_in(request)
    own = getattr(user, "preferences", None) or Preferences()
    keys = usable(own.keys)
    return {
        "project": project,
        "role": project.role,
        "preferences": {name: getattr(own, name) for name in SHEET} | {"keys": keys},
        "keys": keys,
        "commands": [(keys[name], command.text) for name, command in COMMANDS.items()],
        "client_id": uuid4(),
        "guideline": project.guideline,
        "news": unseen_guideline(user, project),
        "flag_reasons": Flag.Reason.choices,
        "mine": submitting.count_submitted(user, project),
        "lease_minutes": settings.ANNOTATION_LEASE_MINUTES,
    }
