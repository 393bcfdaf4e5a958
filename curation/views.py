from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import project_for, signed_in
from annotate.models import Role
from annotate.wake import wake
from curation.export import ask_for, files_dir
from curation.forms import DEFAULT_RECIPE, MixForm
from curation.models import Export
from curation.tasks import build

SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
def mixes(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    initial = {"recipe": DEFAULT_RECIPE}
    form = MixForm(request.POST or None, project=project, initial=initial)
    if request.method == "POST" and form.is_valid():
        export = ask_for(project, form.cleaned_data["name"], form.cleaned_data["recipe"], signed_in(request))
        wake(build, export.pk)
        messages.info(request, _("%s is being built.") % export.mix.name)
        return redirect("mixes", slug)
    exports = Export.objects.filter(mix__project=project).select_related("mix", "version").order_by("-id")
    context = {"project": project, "role": Role.LEAD, "form": form, "exports": exports[:SHOWN]}
    return render(request, "curation/mixes.html", context)


@require_safe
def export(request: HttpRequest, slug: str, export_id: int) -> HttpResponse:
    """One build as a fragment, which asks for itself again until the build is over."""
    return render(request, "curation/_export.html", {"export": _export(request, slug, export_id)})


@require_safe
def export_download(request: HttpRequest, slug: str, export_id: int) -> FileResponse:
    wanted = _export(request, slug, export_id)
    path = files_dir() / wanted.file_name
    if wanted.state != Export.State.DONE or not path.is_file():
        raise Http404("This build has no file.")
    return FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=f"{slug}-export-{export_id}.zip",
        content_type="application/zip",
    )


def _export(request: HttpRequest, slug: str, export_id: int) -> Export:
    """The lead's export, with its mix and version; 404 and 403 as `project_for` says."""
    project = project_for(request, slug, Role.LEAD)
    found = Export.objects.select_related("mix__project", "version")
    return get_object_or_404(found, pk=export_id, mix__project=project)
