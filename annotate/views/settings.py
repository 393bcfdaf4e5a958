from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import project_for, signed_in
from annotate.forms import CareForm, GuidelineForm, MemberForm, RuleForm
from annotate.models import Membership, Role, User
from annotate.questions import publish_guidelines


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    form = RuleForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved. Labels follow at the next weighing."))
        return redirect("settings", slug)
    guideline = project.guideline
    context = {
        "project": project,
        "role": project.role,
        "form": form,
        "care_form": CareForm(instance=project),
        "members": project.memberships.select_related("user").order_by("role", "user__username"),
        "member_form": MemberForm(),
        "guideline": guideline,
        "guideline_form": GuidelineForm(initial={"text": guideline.text if guideline else ""}),
    }
    return render(request, "annotate/settings.html", context)


@require_POST
def save_care(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    form = CareForm(request.POST, instance=project)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved. It holds from the next item on."))
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("settings", slug)


@require_POST
def add_member(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    form = MemberForm(request.POST)
    if form.is_valid():
        user = User.objects.get(username=form.cleaned_data["username"])
        Membership.objects.update_or_create(
            project=project, user=user, defaults={"role": form.cleaned_data["role"]}
        )
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("settings", slug)


@require_POST
def remove_member(request: HttpRequest, slug: str, membership_id: int) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    get_object_or_404(Membership, pk=membership_id, project=project).delete()
    return redirect("settings", slug)


@require_POST
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Role.LEAD)
    form = GuidelineForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        published = publish_guidelines(project, said["text"], signed_in(request), said["changes"])
        messages.success(request, _("Version %s of the guidelines is in force.") % published.version)
    else:
        messages.error(request, _("The guidelines can't be empty, and what changed can't be a long text."))
    return redirect("settings", slug)
