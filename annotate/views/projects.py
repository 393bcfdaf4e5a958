from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import project_for, signed_in
from annotate.errors import BadQuestion
from annotate.forms import NewProjectForm
from annotate.models import Project
from annotate.progress import progress_of
from annotate.questions import NewProject, create_project


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    rows = Project.objects.visible_to(user).with_counts()
    return render(request, "annotate/projects.html", {"projects": rows.order_by("title")})


@require_http_methods(["GET", "HEAD", "POST"])
def new_project(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if not user.is_staff:
        raise PermissionDenied(_("Only an admin starts projects."))
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = create_project(NewProject(**form.cleaned_data), lead=user)
        except BadQuestion as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The project is there. Add members and import items next."))
            return redirect("project", project.slug)
    return render(request, "annotate/new_project.html", {"form": form})


@require_safe
def project(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug)
    user = signed_in(request)
    context = {
        "project": project,
        "role": project.role,
        "progress": progress_of(project, user),
        "questions": project.asked_questions,
        "guideline": project.guideline,
    }
    return render(request, "annotate/project.html", context)
