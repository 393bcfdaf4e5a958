from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import project_for, signed_in
from annotate.forms import ImportForm
from annotate.measure_agreement import measure_agreement
from annotate.models import Item, ItemImport, Label, Role
from annotate.tasks import read_upload
from annotate.upload import receive
from annotate.wake import wake

PAGE = 50


@require_safe
def items(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    rows = Item.objects.filter(project=project).select_related("source").order_by("external_id")
    state = request.GET.get("state", "")
    if state in Label.State.values:
        rows = rows.filter(labels__state=state).distinct()
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    labels: dict[int, list[Label]] = {item.pk: [] for item in page}
    for label in Label.objects.filter(item__in=labels).select_related("question").order_by("question__position"):
        labels[label.item_id].append(label)
    context = {
        "project": project,
        "role": Role.LEAD,
        "page": page,
        "rows": [(item, labels[item.pk]) for item in page],
        "state": state,
        "states": Label.State.choices,
    }
    return render(request, "annotate/items.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = receive(project, signed_in(request), form.cleaned_data)
        wake(read_upload, upload.pk)
        messages.info(request, f"Upload {upload.pk} is being read.")
        return redirect("import", slug)
    context = {
        "project": project,
        "role": Role.LEAD,
        "form": form,
        "uploads": ItemImport.objects.filter(project=project).order_by("-id")[:10],
    }
    return render(request, "annotate/import.html", context)


@require_safe
def import_progress(request: HttpRequest, slug: str, import_id: int) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    upload = get_object_or_404(ItemImport, pk=import_id, project=project)
    return render(request, "annotate/_upload.html", {"upload": upload, "project": project})


@require_safe
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    """The page at once; its figures, which take seconds on a large project, as a fragment after it."""
    project = project_for(request, slug, Role.LEAD)
    context = {"project": project, "role": Role.LEAD}
    if not request.headers.get("HX-Request") and "figures" not in request.GET:
        return render(request, "annotate/agreement.html", context)
    return render(request, "annotate/_agreement.html", context | {"figures": measure_agreement(project)})
