from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate import filters
from annotate.access import project_for, signed_in
from annotate.filter_form import FilterForm, in_words, more_values
from annotate.forms import ImportForm
from annotate.measure_agreement import measure_agreement
from annotate.models import Item, ItemImport, Label, Project, Role, SavedFilter
from annotate.tasks import read_upload
from annotate.upload import receive
from annotate.wake import wake

PAGE = 50


@require_safe
def items(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's items, or those that the filter in the address finds; it is refused whole if it is wrong."""
    project = project_for(request, slug, Role.LEAD)
    sent, problems = request.GET.copy(), {}
    sent.pop("page", None)
    try:
        conditions = filters.read(project, sent)
        rows = filters.items_of(project, conditions)
    except filters.BadFilter as refused:
        conditions, problems, rows = {}, refused.problems, Item.objects.none()
    rows = rows.select_related("source").order_by("external_id")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "role": Role.LEAD,
        "page": page,
        "rows": labelled(page.object_list),
        "problems": problems,
        **filter_context(project, conditions),
    }
    return render(request, "annotate/items.html", context, status=400 if problems else 200)


def labelled(items: Iterable[Item]) -> list[tuple[Item, list[Label]]]:
    """Each item with its labels of record, in the questions' order (one query)."""
    listed = list(items)
    labels: dict[int, list[Label]] = {item.pk: [] for item in listed}
    for label in Label.objects.filter(item__in=labels).select_related("question").order_by("question__position"):
        labels[label.item_id].append(label)
    return [(item, labels[item.pk]) for item in listed]


def filter_context(project: Project, conditions: filters.Conditions) -> dict[str, Any]:
    """What `_filter.html` needs."""
    return {
        "conditions": conditions,
        "query": filters.as_query(conditions),
        "form": FilterForm(project, conditions),
        "hidden": more_values(conditions),
        "words": in_words(project, conditions),
        "saved": [(saved, filters.as_query(saved.conditions)) for saved in project.saved_filters.order_by("name")],
    }


def _items_page(slug: str, query: str) -> HttpResponse:
    return redirect(f"{reverse('items', args=[slug])}?{query}")


@require_POST
def save_filter(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the filter that the page shows, which it sends as the query that it was asked by."""
    project = project_for(request, slug, Role.LEAD)
    sent = QueryDict(request.POST.get("query", ""))
    try:
        conditions = filters.read(project, sent)
        saved = filters.save(project, request.POST.get("name", "").strip(), conditions, signed_in(request))
    except filters.BadFilter as refused:
        messages.error(request, _("Not saved: %s") % refused)
        return _items_page(slug, sent.urlencode())
    messages.success(request, _("Saved as %s.") % saved.name)
    return _items_page(slug, filters.as_query(saved.conditions))


@require_POST
def delete_filter(request: HttpRequest, slug: str, filter_id: int) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    saved = get_object_or_404(SavedFilter, pk=filter_id, project=project)
    if project.queue_filter_id == saved.pk:
        messages.warning(request, _("The queue hands out all items again."))
    saved.delete()
    messages.success(request, _("Deleted: %s. Mixes that were built with it keep what they used.") % saved.name)
    return redirect("items", slug)


@require_POST
def use_for_queue(request: HttpRequest, slug: str) -> HttpResponse:
    """Hand out only what a saved filter finds; without one, all items again."""
    project = project_for(request, slug, Role.LEAD)
    chosen = request.POST.get("filter", "")
    saved = get_object_or_404(SavedFilter, name=chosen, project=project) if chosen else None
    filters.set_queue_filter(project, saved)
    if saved is None:
        messages.success(request, _("The queue hands out all items."))
    else:
        messages.success(request, _("The queue now hands out only what %s finds.") % saved.name)
    return redirect("items", slug)


@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = receive(project, signed_in(request), form.cleaned_data)
        wake(read_upload, upload.pk)
        messages.info(request, _("Upload %s is being read.") % upload.pk)
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
    fragment = bool(request.headers.get("HX-Request"))
    if fragment or "figures" in request.GET:
        context["figures"] = measure_agreement(project)
    return render(request, "annotate/_agreement.html" if fragment else "annotate/agreement.html", context)
