from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotate import flags as raised
from annotate.access import item_for, project_for
from annotate.models import Flag, Role


@require_safe
def flags(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    context = {
        "project": project,
        "role": project.role,
        "groups": raised.open_flags(project),
        "blocked": raised.blocked_items(project),
    }
    return render(request, "annotate/flags.html", context)


@require_POST
def resolve_flag(request: HttpRequest, slug: str, flag_id: int) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    raised.resolve(get_object_or_404(Flag, pk=flag_id, item__project=project))
    return redirect("flags", slug)


@require_POST
def unblock(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """Only with the box ticked that says what it means."""
    item = item_for(request, slug, item_id, Role.LEAD)
    if request.POST.get("sure") != "yes":
        messages.error(request, _("Not unblocked: tick the box that says that people may see it again."))
    else:
        raised.unblock(item)
        messages.success(request, _("People may be handed this item again."))
    return redirect("flags", slug)
