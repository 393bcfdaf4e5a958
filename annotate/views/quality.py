import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotate import gold
from annotate import my_work as own
from annotate.access import project_for, signed_in
from annotate.accuracy import ENOUGH
from annotate.measure_people import quality_of
from annotate.models import Role


@never_cache
@require_safe
def my_work(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug)
    context = {
        "project": project,
        "role": project.role,
        "work": own.own_work(signed_in(request), project),
        "enough": ENOUGH,
        "pace_from": own.PACE_FROM,
        "guideline": project.guideline,
    }
    return render(request, "annotate/mine.html", context)


@never_cache
@require_safe
def my_data(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """The person's own annotations as JSON lines."""
    project = project_for(request, slug)
    rows = own.own_annotations(signed_in(request), project)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    name = f'attachment; filename="{project.slug}-my-annotations.jsonl"'
    return StreamingHttpResponse(
        lines, content_type="application/x-ndjson; charset=utf-8", headers={"Content-Disposition": name}
    )


@never_cache
@require_safe
def quality(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    context = {"project": project, "role": project.role, "people": quality_of(project), "enough": ENOUGH}
    return render(request, "annotate/quality.html", context)


@require_POST
def let_through(request: HttpRequest, slug: str, membership_id: int) -> HttpResponse:
    """Wave a person through the warm-up, or ask it once more (`again`)."""
    project = project_for(request, slug, Role.LEAD)
    membership = get_object_or_404(project.memberships.select_related("user"), pk=membership_id)
    name = membership.user.shown_name
    if "again" not in request.POST:
        gold.let_through(membership)
        messages.success(request, _("%(name)s may work now.") % {"name": name})
    elif gold.try_again(membership):
        messages.success(request, _("%(name)s is asked the warm-up once more.") % {"name": name})
    else:
        messages.error(request, _("%(name)s has no failed warm-up to try again.") % {"name": name})
    return redirect("quality", slug)


@require_POST
def guideline_seen(request: HttpRequest, slug: str) -> HttpResponse:
    """The person was told of a version of the guidelines."""
    project = project_for(request, slug)
    version = request.POST.get("version", "")
    if version.isdecimal() and len(version) < 9:
        own.saw_guideline(signed_in(request), project, int(version))
    return HttpResponse() if request.headers.get("HX-Request") else redirect("annotate", slug)
