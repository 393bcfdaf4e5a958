from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotate import opt_out
from annotate.access import project_for, signed_in
from annotate.assign import give_back
from annotate.models import Preferences
from annotate.preference_form import PreferencesForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """A person's own page: nobody else reaches it, and nobody else is shown what it holds."""
    user = signed_in(request)
    own = Preferences.objects.filter(user=user).first() or Preferences(user=user)
    trees = opt_out.trees_for(user)
    if "reset_keys" in request.POST:
        own.keys = {}
        opt_out.save_preferences(own, lower=False)
        messages.success(request, _("The keys are the usual ones again."))
        return redirect("preferences")
    form = PreferencesForm(request.POST or None, instance=own)
    if request.method == "POST" and form.is_valid():
        opt_out.save_preferences(form.save(commit=False), lower=form.caps_changed)
        opt_out.set_opt_outs(user, request.POST.getlist("opt_out"), opt_out.all_values(trees))
        messages.success(request, _("Saved. It holds from the next item on."))
        return redirect("preferences")
    return render(request, "annotate/preferences.html", {"form": form, "trees": trees})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rest(request: HttpRequest, slug: str) -> HttpResponse:
    """A calm page without items. Coming here by the check-in gives back what is in hand; nothing is stored."""
    project = project_for(request, slug)
    if request.method == "POST":
        give_back(signed_in(request), project)
        return redirect("rest", slug)
    return render(request, "annotate/rest.html", {"project": project})
