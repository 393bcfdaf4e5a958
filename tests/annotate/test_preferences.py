"""A person's own page: it saves, it refuses, and nobody else ever sees a trace of it."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from annotate.assign import next_items
from annotate.keys import COMMANDS
from annotate.models import Assignment, Item, OptOut, Preferences, Project, Role, Sitting
from annotate.opt_out import trees_for
from tests.annotate.test_access import PROJECT_PAGES, address, project_routes


def sent(**changes):
    """What the form sends when nothing is changed but this."""
    plain = {
        "density": "comfortable",
        "veil": "off",
        "veiled": "noticed",
        "break_after": "50",
        "single_keys": "on",
    }
    keys = {f"key_{name}": command.key for name, command in COMMANDS.items()}
    return {**plain, **keys, **changes}


@pytest.fixture
def save(cast, client_for):
    client = client_for(cast.annotator)
    return lambda **changes: client.post(reverse("preferences"), sent(**changes))


def test_everything_on_the_page_is_stored(cast, save):
    answer = save(
        language="de", density="compact", auto_advance="on", veil="hold", veiled="all", break_after="25",
        severe_in_row="1", severe_per_session="4", severe_per_day="9", key_skip="s",
    )  # fmt: skip
    assert answer.status_code == 302
    own = Preferences.objects.get(user=cast.annotator)
    assert (own.language, own.density, own.auto_advance, own.single_keys) == ("de", "compact", True, True)
    assert (own.veil, own.veiled, own.break_after) == ("hold", "all", 25)
    assert (own.severe_in_row, own.severe_per_session, own.severe_per_day) == (1, 4, 9)
    assert own.keys == {"skip": "s"}, "only what is not usual is stored"


def test_keys_that_clash_or_are_no_keys_are_refused_and_nothing_is_stored(cast, save):
    for changes in ({"key_skip": "z"}, {"key_skip": "5"}, {"key_skip": "s", "key_flag": "s"}, {"key_skip": " "}):
        answer = save(**changes, density="compact")
        assert answer.status_code == 200, changes
        assert answer.context["form"].errors, changes
    assert not Preferences.objects.exists()


def test_two_keys_may_change_places_and_a_button_brings_the_usual_ones_back(cast, save):
    assert save(key_skip="f", key_flag="k").status_code == 302
    assert Preferences.objects.get().keys == {"skip": "f", "flag": "k"}
    assert save(reset_keys="1").status_code == 302
    assert Preferences.objects.get().keys == {}


@pytest.mark.parametrize(
    "changes", [{"break_after": "1"}, {"language": "xx"}, {"veil": "always"}, {"severe_per_day": "-1"}]
)
def test_what_is_not_offered_is_refused(cast, save, changes):
    assert save(**changes).status_code == 200
    assert not Preferences.objects.exists()


def test_opt_outs_are_stored_for_the_person_and_can_be_taken_back(cast, save):
    taxonomy = cast.project.taxonomy_version.taxonomy_id
    save(opt_out=[f"{taxonomy}:harm", f"{taxonomy}:fraud", f"{taxonomy}:made_up", "999:harm"])
    assert set(OptOut.objects.values_list("user", "taxonomy", "code")) == {
        (cast.annotator.pk, taxonomy, "harm"),
        (cast.annotator.pk, taxonomy, "fraud"),
    }
    save(opt_out=[f"{taxonomy}:fraud"])
    assert list(OptOut.objects.values_list("code", flat=True)) == ["fraud"]


def test_a_person_without_a_project_keeps_opt_outs_made_before(cast, save):
    taxonomy = cast.project.taxonomy_version.taxonomy_id
    save(opt_out=[f"{taxonomy}:fraud"])
    cast.annotator.memberships.all().delete()
    assert trees_for(cast.annotator) == []
    save()
    assert OptOut.objects.count() == 1


def test_opting_out_gives_back_what_is_in_hand_and_hands_out_the_rest_again(cast, add_items, save):
    rows = [{"id": f"i{n}", "prompt": f"prompt {n}", "hazards": ["fraud"] if n % 2 else []} for n in range(6)]
    add_items(cast.project, rows)
    assert len(next_items(cast.annotator, cast.project, 6)) == 6
    save(opt_out=[f"{cast.project.taxonomy_version.taxonomy_id}:harm"])
    assert not Assignment.objects.filter(state="leased").exists()
    assert set(Item.objects.values_list("taken", flat=True)) == {0}
    again = next_items(cast.annotator, cast.project, 6)
    assert sorted(one.item.external_id for one in again) == ["i0", "i2", "i4"]
    save()
    assert len(next_items(cast.annotator, cast.project, 6)) == 6, "taken back, they come again"


def test_the_page_is_the_persons_own_and_needs_no_role(cast, client, client_for, save):
    save(veil="stay")
    assert client.get(reverse("preferences")).status_code == 302, "signed out: to the sign-in page"
    others = client_for(cast.stranger).get(reverse("preferences"))
    assert others.status_code == 200
    assert others.context["form"].instance.veil == "off"


def test_no_trace_of_it_on_any_page_of_a_lead_or_admin(cast, add_items, client_for, save):
    """Every page that leads and admins can open is the same, byte for byte, before and after an opt-out."""
    add_items(cast.project, [{"id": "i1", "prompt": "text"}])
    Preferences.objects.create(user=cast.annotator, severe_per_day=7)
    # The lead's own work is on the annotate page, and its lease gets longer by every look.
    left_out = {"annotate"} | {name for name in PROJECT_PAGES if "999999" in address(name, "guard")}
    routes = [address(name, "guard") for name in sorted(project_routes()) if name not in left_out]
    lead, staff = client_for(cast.lead), client_for(cast.admin)
    models = [model._meta for model in admin.site._registry]
    lists = [reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") for meta in models]
    user = [
        reverse(f"admin:annotate_user_{page}", args=[cast.annotator.pk])
        for page in ("change", "delete", "history")
    ]

    def seen():
        pages = {}
        for client, addresses in ((lead, routes), (staff, [*lists, *user, reverse("admin:index")])):
            for route in addresses:
                answer = client.get(route)
                content = b"".join(answer.streaming_content) if answer.streaming else answer.content
                pages[route] = _without_tokens(content)
        return pages

    before = seen()
    assert len(before) > 25
    save(opt_out=[f"{cast.project.taxonomy_version.taxonomy_id}:fraud"], severe_per_day="3", veil="hold")
    assert OptOut.objects.count() == 1
    after = seen()
    assert [route for route in before if before[route] != after[route]] == []


def _without_tokens(content):
    # Tokens are masked anew for each page, and client ids drawn; the person's last request shows nowhere.
    content = re.sub(rb'(csrfmiddlewaretoken" value="|X-CSRFToken": "|client_id" value=")[^"]*', b"", content)
    return re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"", content)


def test_private_models_are_not_in_the_admin():
    assert set(admin.site._registry).isdisjoint({OptOut, Preferences, Sitting})


def test_deleting_a_person_says_nothing_of_what_they_opted_out_of(cast, client_for, save):
    save(opt_out=[f"{cast.project.taxonomy_version.taxonomy_id}:fraud"])
    address = reverse("admin:annotate_user_delete", args=[cast.annotator.pk])
    shown = client_for(cast.admin).get(address).content.decode().lower()
    assert "membership" in shown
    assert "opt-out" not in shown
    assert "opt out" not in shown
    assert "preferences of" not in shown
    assert client_for(cast.admin).post(address, {"post": "yes"}).status_code == 302
    assert not OptOut.objects.exists()


def test_a_lead_sets_the_limits_of_a_project(cast, client_for):
    client, address = client_for(cast.lead), reverse("save_care", args=["guard"])
    fine = {
        "severe_in_row": "2", "severe_per_session": "10", "severe_per_day": "", "severe_categories": "harm, fraud",
        "jury_informs_care": "on", "care_note": "Call **Ada**.",
    }  # fmt: skip
    assert client.post(address, fine).status_code == 302
    project = Project.objects.get()
    assert (project.severe_in_row, project.severe_per_session, project.severe_per_day) == (2, 10, None)
    assert (project.severe_categories, project.jury_informs_care) == (["harm", "fraud"], True)
    client.post(address, fine | {"severe_categories": "harn"})
    client.post(address, fine | {"severe_in_row": "0"})
    project.refresh_from_db()
    assert (project.severe_categories, project.severe_in_row) == (["harm", "fraud"], 2)
    shown = client.get(reverse("settings", args=["guard"])).content.decode()
    assert "harm,fraud" in shown
    note = client_for(cast.annotator).get(reverse("rest", args=["guard"])).content.decode()
    assert "Call <strong>Ada</strong>." in note


def test_stopping_gives_back_what_is_in_hand_and_stores_nothing_else(cast, add_items, client_for):
    add_items(cast.project, [{"id": f"i{n}", "prompt": f"prompt {n}"} for n in range(4)])
    next_items(cast.annotator, cast.project, 4)
    answer = client_for(cast.annotator).post(reverse("rest", args=["guard"]))
    assert answer.url == reverse("rest", args=["guard"])
    assert set(Assignment.objects.values_list("state", flat=True)) == {"expired"}
    membership = cast.annotator.memberships.get()
    assert (membership.skipped, membership.submitted) == (0, 0)
    assert membership.role == Role.ANNOTATOR
    assert len(next_items(cast.annotator, cast.project, 4)) == 4, "all of it comes back afterwards"
