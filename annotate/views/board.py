from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import project_for
from annotate.board import labels, overview
from annotate.board_votes import votes
from annotate.measure_shift import measure_shift
from annotate.models import Project, Role


@require_safe
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The page at once; what is counted over all votes follows as a fragment, or with the page if asked for."""
    project = project_for(request, slug, Role.LEAD)
    context = {"project": project, "role": Role.LEAD}
    as_fragment = bool(request.headers.get("HX-Request"))
    if as_fragment or "figures" in request.GET:
        assisted = project.exposure_policy == Project.ExposurePolicy.ASSISTED
        context |= {
            "labels": labels(project),
            "votes": votes(project),
            "shift": measure_shift(project) if assisted else None,
        }
    if as_fragment:
        return render(request, "annotate/_figures.html", context)
    return render(request, "annotate/board.html", context | {"overview": overview(project)})
