"""P11: a stranger learns nothing, not even that a project exists; the wrong role gets 403."""

import pytest
from django.urls import get_resolver, reverse

from annotate.models import Membership, Role
from jury.defaults import local_panel
from tests.conftest import Cast

# Who may open each page of a project: the lowest role. A page that is not named here fails the sweep below.
PROJECT_PAGES = {
    "project": Role.ANNOTATOR,
    "annotate": Role.ANNOTATOR,
    "reopen": Role.ANNOTATOR,
    "submit": Role.ANNOTATOR,
    "skip": Role.ANNOTATOR,
    "item_image": Role.ANNOTATOR,
    "flag": Role.ANNOTATOR,
    "undo": Role.ANNOTATOR,
    "spare": Role.ANNOTATOR,
    "queue": Role.ANNOTATOR,
    "release": Role.ANNOTATOR,
    "key_trainer": Role.ANNOTATOR,
    "taxonomy": Role.ANNOTATOR,
    "my_work": Role.ANNOTATOR,
    "my_data": Role.ANNOTATOR,
    "guideline_seen": Role.ANNOTATOR,
    "quality": Role.LEAD,
    "let_through": Role.LEAD,
    "review": Role.REVIEWER,
    "decide": Role.REVIEWER,
    "gaps": Role.REVIEWER,
    "resolve_gap": Role.LEAD,
    "rest": Role.ANNOTATOR,
    "flags": Role.LEAD,
    "resolve_flag": Role.LEAD,
    "unblock": Role.LEAD,
    "save_care": Role.LEAD,
    "items": Role.LEAD,
    "board": Role.LEAD,
    "save_filter": Role.LEAD,
    "delete_filter": Role.LEAD,
    "use_for_queue": Role.LEAD,
    "import": Role.LEAD,
    "import_progress": Role.LEAD,
    "agreement": Role.LEAD,
    "settings": Role.LEAD,
    "add_member": Role.LEAD,
    "remove_member": Role.LEAD,
    "publish_guidelines": Role.LEAD,
    "jury": Role.LEAD,
    "run_jury": Role.LEAD,
    "stop_run": Role.LEAD,
    "resume_run": Role.LEAD,
    "mixes": Role.LEAD,
    "export": Role.LEAD,
    "export_download": Role.LEAD,
}
POST_ONLY = {
    "resolve_flag", "unblock", "save_care",
    "save_filter", "delete_filter", "use_for_queue",
    "guideline_seen", "let_through",
    "spare", "queue", "release",
    "submit", "skip", "flag", "undo", "decide", "add_member", "remove_member", "publish_guidelines",
    "run_jury", "stop_run", "resume_run", "resolve_gap",
}  # fmt: skip


def all_routes():
    found = {}
    for pattern in get_resolver().reverse_dict.items():
        name, (possibilities, *_) = pattern
        if isinstance(name, str):
            found[name] = possibilities[0][1]
    return found


def project_routes():
    return {name: params for name, params in all_routes().items() if "slug" in params}


def address(name, slug):
    params = {param: slug if param == "slug" else 999_999 for param in project_routes()[name]}
    return reverse(name, kwargs=params)


def ask(client, name, slug):
    if name in POST_ONLY:
        return client.post(address(name, slug), {"panel": local_panel().slug})
    return client.get(address(name, slug))


def test_every_page_of_a_project_has_a_declared_role():
    assert set(project_routes()) == set(PROJECT_PAGES)


@pytest.mark.parametrize("name", sorted(PROJECT_PAGES))
def test_p11_a_stranger_sees_the_same_as_for_a_project_that_is_not_there(cast: Cast, client_for, name):
    stranger = client_for(cast.stranger)
    there, nowhere = ask(stranger, name, "guard"), ask(stranger, name, "no-such-project")
    assert there.status_code == nowhere.status_code == 404
    for response in (there, nowhere):
        response.content = response.content.replace(response.wsgi_request.META["CSRF_COOKIE"].encode(), b"")
    scrub = lambda page: page.content.split(b"hx-headers")[0] + page.content.split(b"</header>")[-1]  # noqa: E731
    assert scrub(there) == scrub(nowhere)


@pytest.mark.parametrize("name", sorted(name for name, role in PROJECT_PAGES.items() if role != Role.ANNOTATOR))
def test_the_wrong_role_is_told_so(cast: Cast, client_for, name):
    below = cast.annotator if PROJECT_PAGES[name] == Role.REVIEWER else cast.reviewer
    assert ask(client_for(below), name, "guard").status_code == 403


@pytest.mark.parametrize("name", sorted(PROJECT_PAGES))
def test_the_right_role_is_let_in(cast: Cast, client_for, name):
    """Shares the set-up of the refusals, so that they can't pass for a wrong reason."""
    right = {Role.ANNOTATOR: cast.annotator, Role.REVIEWER: cast.reviewer, Role.LEAD: cast.lead}
    response = ask(client_for(right[PROJECT_PAGES[name]]), name, "guard")
    needs_a_row = {"999999"} & set(address(name, "guard").split("/"))
    assert response.status_code in ({404} if needs_a_row else {200, 302, 422})


@pytest.mark.parametrize("name", sorted(PROJECT_PAGES))
def test_nobody_signed_in_is_sent_to_the_sign_in_page(cast: Cast, client, name):
    response = ask(client, name, "guard")
    assert response.status_code == 302
    assert response.url.startswith(reverse("login"))


def test_a_role_taken_away_counts_at_once(cast: Cast, client_for):
    client = client_for(cast.lead)
    assert ask(client, "settings", "guard").status_code == 200
    Membership.objects.filter(user=cast.lead).delete()
    assert ask(client, "settings", "guard").status_code == 404


def test_items_of_another_project_are_not_reached_through_ones_own(cast: Cast, client_for, add_items):
    from annotate.questions import NewProject, create_project

    other = create_project(NewProject(slug="other", taxonomy="small"))
    [item] = add_items(other, [{"id": "secret", "prompt": "text"}])
    for name in ("submit", "skip", "flag", "decide"):
        page = reverse(name, kwargs={"slug": "guard", "item_id": item.pk})
        assert client_for(cast.lead).post(page).status_code == 404


def test_only_an_admin_starts_projects(cast: Cast, client_for):
    assert client_for(cast.lead).get(reverse("new_project")).status_code == 403
    assert client_for(cast.admin).get(reverse("new_project")).status_code == 200


@pytest.mark.parametrize("name", ["projects", "login", "healthz"])
def test_every_page_carries_the_strict_policy(cast: Cast, client, name):
    policy = client.get(reverse(name)).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
