from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotate.access import project_for
from annotate.picker import picker_data


@require_safe
def taxonomy(request: HttpRequest, slug: str, version_id: int, content_hash: str) -> HttpResponse:
    """The project's categories with their keys: the same bytes at this address for good."""
    project = project_for(request, slug)
    if project.taxonomy_version_id != version_id or picker_data(version_id).content_hash != content_hash:
        raise Http404("The project has no such taxonomy version.")
    response = HttpResponse(picker_data(version_id).body, content_type="application/json")
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
