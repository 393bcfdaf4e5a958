"""The one road from an id to a row: the row, 404 for strangers (P11), 403 for the wrong role."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from annotate.models import Item, Project, Role, User

ALLOWED = {
    Role.ANNOTATOR: {Role.ANNOTATOR},
    Role.REVIEWER: {Role.ANNOTATOR, Role.REVIEWER},
    Role.LEAD: {Role.ANNOTATOR, Role.REVIEWER, Role.LEAD},
}


def signed_in(request: HttpRequest) -> User:
    """The person behind the request, typed.

    Raises:
        Http404: nobody is signed in (the middleware sends them to the sign-in page before this).
    """
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def project_for(request: HttpRequest, slug: str, role: Role = Role.ANNOTATOR) -> Project:
    """The project, with the person's role on it, if the person may act in this role there.

    Raises:
        Http404: there is no such project, or the person has no part in it: both look the same.
        PermissionDenied: the person is a member, but not in this role.
    """
    user = signed_in(request)
    project = Project.objects.reached_by(user, slug)
    if project is None or project.role is None:
        raise Http404("No such project.")
    if role not in ALLOWED[project.role]:
        raise PermissionDenied(_("This page is for the role: %s.") % role.label)
    return project


def item_for(request: HttpRequest, slug: str, item_id: int, role: Role) -> Item:
    """An item of a project that the person may act on in this role; raises as `project_for` does."""
    project = project_for(request, slug, role)
    item = Item.objects.filter(project=project, pk=item_id).first()
    if item is None:
        raise Http404("No such item.")
    item.project = project
    return item
