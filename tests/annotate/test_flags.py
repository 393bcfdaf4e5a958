"""The stop path: what nobody should see again is rendered nowhere, is logged by number, and needs a confirm."""

import logging
from uuid import uuid4

import pytest
from django.urls import reverse

from annotate.assign import next_item, next_items
from annotate.models import Flag, Item
from annotate.submit import flag

SECRET = "unbearable words"


@pytest.fixture
def items(cast, add_items):
    return add_items(
        cast.project,
        [{"id": f"i{n}", "prompt": f"{SECRET} {n}", "response": f"{SECRET} in answer {n}"} for n in range(4)],
    )


@pytest.fixture
def look(cast, client_for):
    client = client_for(cast.lead)
    return lambda name="flags": client.get(reverse(name, args=["guard"])).content.decode()


def test_serious_flags_show_numbers_and_notes_but_never_the_content(cast, items, look):
    flag(cast.annotator, items[0], "not_again", "please no")
    flag(cast.annotator, items[1], "personal_data", "a phone number")
    flag(cast.annotator, items[2], "broken", "half of it is missing")
    shown = look()
    assert SECRET not in shown
    for there in ("i0", "i1", "i2", "please no", "a phone number", "half of it is missing"):
        assert there in shown
    assert shown.index("please no") < shown.index("a phone number") < shown.index("half of it is missing")
    links = [item.external_id for item in items if f"?id={item.external_id}" in shown]
    assert links == ["i2"], "only ordinary ones lead on to the item"
    assert "annotator" not in shown.split("<main")[1].replace("annotators", ""), "who raised it is not said"


def test_newest_first_and_settled_ones_are_gone(cast, items, look, client_for):
    first = flag(cast.annotator, items[0], "broken", "older")
    flag(cast.second, items[1], "broken", "newer")
    shown = look()
    assert shown.index("newer") < shown.index("older")
    address = reverse("resolve_flag", args=["guard", first.pk])
    assert client_for(cast.lead).post(address).status_code == 302
    first.refresh_from_db()
    settled_at = first.resolved_at
    assert settled_at is not None
    client_for(cast.lead).post(address)
    first.refresh_from_db()
    assert first.resolved_at == settled_at
    assert "older" not in look()


def test_a_serious_flag_is_logged_by_number_only(cast, items, caplog):
    with caplog.at_level(logging.WARNING):
        raised = flag(cast.annotator, items[0], "not_again", f"note with {SECRET}", client_id=uuid4())
        flag(cast.annotator, items[1], "broken", "no log")
    lines = [record.getMessage() for record in caplog.records if record.name == "annotate.submit"]
    assert len(lines) == 1
    assert f"flag {raised.pk} " in lines[0]
    assert f"item {items[0].pk} " in lines[0]
    assert SECRET not in lines[0]
    assert "i0" not in lines[0]
    assert cast.annotator.username not in lines[0]


def test_a_blocked_item_is_rendered_on_no_page(cast, items, look, client_for):
    held = next_item(cast.annotator, cast.project)
    flag(cast.annotator, held.item, "not_again")
    secret = held.item.content["prompt"]
    for name in ("items", "flags", "settings", "project", "review", "annotate"):
        assert secret not in look(name), name
    own = client_for(cast.annotator)
    assert secret not in own.get(reverse("annotate", args=["guard"])).content.decode()
    assert own.get(reverse("reopen", args=["guard", held.item_id])).status_code == 404


def test_unblocking_needs_the_box_ticked(cast, items, look, client_for):
    flag(cast.annotator, items[0], "not_again")
    client, address = client_for(cast.lead), reverse("unblock", args=["guard", items[0].pk])
    assert f'action="{address}"' in look()
    client.post(address)
    client.post(address, {"sure": "no"})
    assert Item.objects.get(pk=items[0].pk).blocked
    client.post(reverse("resolve_flag", args=["guard", Flag.objects.get().pk]))
    assert Item.objects.get(pk=items[0].pk).blocked, "settling the flag lifts nothing"
    assert "i0" in look(), "a blocked item stays in sight of the lead when its flag is settled"
    assert len(next_items(cast.second, cast.project, 8)) == 3
    client.post(address, {"sure": "yes"})
    assert not Item.objects.get(pk=items[0].pk).blocked
    assert len(next_items(cast.second, cast.project, 8)) == 4


def test_flags_of_another_project_are_out_of_reach(cast, items, client_for, add_items):
    from annotate.questions import NewProject, create_project

    other = create_project(NewProject(slug="other", taxonomy="small"))
    [item] = add_items(other, [{"id": "o", "prompt": "text"}])
    raised = flag(cast.annotator, item, "not_again")
    client = client_for(cast.lead)
    assert client.post(reverse("resolve_flag", args=["guard", raised.pk])).status_code == 404
    assert client.post(reverse("unblock", args=["guard", item.pk]), {"sure": "yes"}).status_code == 404
    assert Item.objects.get(pk=item.pk).blocked
