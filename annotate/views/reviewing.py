from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotate import adjudicate
from annotate import gaps as gaps_of
from annotate.access import item_for, project_for, signed_in
from annotate.errors import BadAnswers, ReasonNeeded
from annotate.forms import ReviewForm, read_answers
from annotate.keys import keys_of
from annotate.models import Flag, Item, Preferences, Project, Role
from annotate.questions import contract_of
from annotate.review_desk import Desk, desk_of


@never_cache
@require_safe
def review(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, project_for(request, slug, Role.REVIEWER))


@require_POST
def decide(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    item = item_for(request, slug, item_id, Role.REVIEWER)
    user, part, form = signed_in(request), request.POST.get("part", ""), ReviewForm(request.POST)
    if not adjudicate.may_review(user, item, part):
        raise Http404(_("There is nothing to review here."))
    answers: dict[str, Any] = {}
    try:
        answers = read_answers(request.POST, contract_of(item.project).questions, item.kind)
        if not form.is_valid():
            raise BadAnswers({"": _("The form was not complete, or too long.")})
        adjudicate.decide(user, item, part, form.decision(answers))
    except BadAnswers as error:
        return _page(request, item.project, desk_of(item, part, answers, error.problems))
    except ReasonNeeded as error:
        return _page(request, item.project, desk_of(item, part, answers, {"": str(error)}))
    if request.headers.get("HX-Request"):
        return _page(request, item.project)
    return redirect("review", slug)


@never_cache
@require_safe
def gaps(request: HttpRequest, slug: str) -> HttpResponse:
    """What annotators and reviewers found the guidelines not to say."""
    project = project_for(request, slug, Role.REVIEWER)
    context = {"project": project, "role": project.role, "gaps": gaps_of.gaps(project, signed_in(request))}
    return render(request, "annotate/gaps.html", context)


@require_POST
def resolve_gap(request: HttpRequest, slug: str, flag_id: int) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    gaps_of.resolve(get_object_or_404(Flag, pk=flag_id, item__project=project, reason=Flag.Reason.GUIDELINE_GAP))
    return redirect("gaps", slug)


def _page(request: HttpRequest, project: Project, desk: Desk | None = None) -> HttpResponse:
    """The case at hand, the most telling one if none is; whole, or the part that scripts swap."""
    user = signed_in(request)
    own = Preferences.objects.filter(user=user).first() or Preferences()
    waiting = adjudicate.queue(project, user)
    if desk is None and waiting:
        item = Item.objects.get(pk=waiting[0].item_id)
        item.project = project
        adjudicate.show_to(user, item)
        desk = desk_of(item, waiting[0].part)
    context = {
        "project": project,
        "role": project.role,
        "desk": desk,
        "sent": request.POST if desk and desk.problems else {},
        "client_id": uuid4(),
        "guideline": project.guideline,
        "left": len(waiting),
        "preferences": {
            "single_keys": own.single_keys,
            "veil": own.veil,
            "veiled": own.veiled,
            "keys": keys_of(user),
        },
        **(desk.content if desk else {"item": None}),
    }
    fragment = bool(request.headers.get("HX-Request"))
    template = "annotate/_review.html" if fragment else "annotate/review.html"
    return render(request, template, context, status=422 if desk and desk.problems else 200)
