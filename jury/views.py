from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for, signed_in
from annotate.models import Project, Role
from jury.defaults import panel_for, panels
from jury.errors import JuryError
from jury.models import Run
from jury.plan import resume_run, start_run, stop_run
from jury.progress import progress_of, standings
from jury.tasks import wake_workers
from jury.weigh import summary


@require_safe
def jury(request: HttpRequest, slug: str) -> HttpResponse:
    """The page, or only the run's progress where htmx asks for it; a run's end loads the page anew."""
    project = project_for(request, slug, Role.LEAD)
    run = Run.objects.filter(project=project).select_related("panel").order_by("-pk").first()
    context = {"project": project, "run": run, "progress": progress_of(run) if run else None}
    if request.headers.get("HX-Request"):
        response = render(request, "jury/_progress.html", context)
        if run is None or run.state != Run.State.RUNNING:
            response["HX-Refresh"] = "true"
        return response
    return render(request, "jury/jury.html", context | _standing(request, project))


def _standing(request: HttpRequest, project: Project) -> dict[str, Any]:
    return {
        "role": project.role,
        "panels": panels(),
        "chosen": panel_for(project),
        "standings": standings(project),
        "labels": summary(project),
    }


@require_POST
def run(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    panel = get_object_or_404(panels(), slug=request.POST.get("panel", ""))
    try:
        wake_workers(start_run(project, panel, signed_in(request)))
    except JuryError as problem:
        messages.error(request, str(problem))
    return redirect("jury", slug)


@require_POST
def stop(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    stop_run(get_object_or_404(Run, pk=run_id, project=project))
    return redirect("jury", slug)


@require_POST
def resume(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    stopped = get_object_or_404(Run, pk=run_id, project=project)
    try:
        resume_run(stopped)
    except JuryError as problem:
        messages.error(request, str(problem))
    else:
        wake_workers(stopped)
    return redirect("jury", slug)
