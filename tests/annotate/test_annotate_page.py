"""The annotate and review pages over HTTP: the whole way as plain forms, and as the page's scripts ask."""

import gzip
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from annotate.models import Annotation, Assignment, Flag, Item, Label, Membership, Question
from annotate.questions import publish_guidelines

JSON = {"Accept": "application/json"}


@pytest.fixture
def items(cast, add_items):
    return add_items(
        cast.project,
        [
            {"id": "pair", "prompt": "A <b>bold</b> question", "response": "An answer"},
            {"id": "lone", "prompt": "Another question"},
        ],
    )


def page(client, headers=None):
    return client.get(reverse("annotate", args=["guard"]), headers=headers or {})


def fields(response, **answers):
    """The form as a browser would send it."""
    html = response.content.decode()
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    return sent | {f"answer_{code}": value for code, value in answers.items()}


def item_in(response):
    return int(re.search(r"action=\"[^\"]*/annotate/(\d+)/submit/", response.content.decode())[1])


def submit(client, response, headers=None, **answers):
    address = reverse("submit", args=["guard", item_in(response)])
    return client.post(address, fields(response, **answers), headers=headers or {})


def queue(client):
    return client.post(reverse("queue", args=["guard"]), headers=JSON)


def sent_by_scripts(cast, **answers):
    """A submit as the outbox sends it."""
    version = {"taxonomy_version": cast.project.taxonomy_version_id}
    return version | {"client_id": str(uuid4()), "person": cast.annotator.pk, **answers}


def answers_for(item_id):
    answers = {"prompt_harm": '"safe"'}
    if Item.objects.get(pk=item_id).kind == "pair":
        answers |= {"response_harm": '"safe"', "response_refusal": '"compliance"'}
    return answers


def test_two_items_without_scripts(cast, items, client_for):
    client = client_for(cast.annotator)
    for _ in range(2):
        shown = page(client)
        stored = submit(client, shown, **answers_for(item_in(shown)))
        assert stored.status_code == 302
    assert b"Nothing is waiting for you" in page(client).content
    assert Annotation.objects.filter(annotator=cast.annotator).count() == 2


def test_g3_the_queue_hands_out_up_to_eight_items_with_their_text(cast, add_items, client_for):
    add_items(cast.project, [{"id": f"i{n}", "prompt": f"question number {n}"} for n in range(12)])
    handed = queue(client_for(cast.annotator)).json()
    assert len(handed["items"]) == 8
    assert all("question number" in one["html"] for one in handed["items"])
    first = handed["items"][0]
    assert (first["repeat"], first["kind"], first["turns"], first["notice"]) == (0, "prompt", 0, "")
    assert handed["taxonomy_version"] == cast.project.taxonomy_version_id
    assert {one["id"] for one in queue(client_for(cast.annotator)).json()["items"]} == {
        one["id"] for one in handed["items"]
    }


def test_an_empty_queue_says_why(cast, client_for):
    handed = queue(client_for(cast.annotator)).json()
    assert handed["items"] == []
    assert "no items yet" in handed["empty"]


def test_items_held_but_never_shown_are_given_back(cast, items, client_for):
    client = client_for(cast.annotator)
    first, second = queue(client).json()["items"]
    sent = {"held": [f"{second['assignment']} {second['leased_until']}"], "person": cast.annotator.pk}
    released = client.post(reverse("release", args=["guard"]), sent, headers=JSON)
    assert released.json() == {"released": 1}
    assert Assignment.objects.get(pk=first["assignment"]).state == "leased"
    assert Item.objects.get(pk=second["id"]).taken == 0


@pytest.mark.parametrize("held", ["", "1", "1 yesterday", "x 2026-01-01T00:00:00Z", "1 2026-99-01T00:00:00Z"])
def test_a_release_that_makes_no_sense_is_refused(cast, items, client_for, held):
    client = client_for(cast.annotator)
    queue(client)
    refused = client.post(reverse("release", args=["guard"]), {"held": held}, headers=JSON)
    assert refused.status_code == 422
    assert set(Assignment.objects.values_list("state", flat=True)) == {"leased"}


def test_to_scripts_a_submit_says_what_is_new_or_what_is_wrong(cast, items, client_for):
    client = client_for(cast.annotator)
    lone = next(one for one in queue(client).json()["items"] if one["kind"] == "prompt")
    address = reverse("submit", args=["guard", lone["id"]])
    refused = client.post(address, sent_by_scripts(cast), headers=JSON)
    assert refused.status_code == 422
    assert list(refused.json()["problems"]) == ["prompt_harm"]
    sent = sent_by_scripts(cast, answer_prompt_harm='"safe"', seconds="2.5")
    for _ in range(2):
        stored = client.post(address, sent, headers=JSON)
        assert stored.json() == {"mine": 1, "feedback": ""}
    publish_guidelines(cast.project, "New rules")
    stale = client.post(address, sent_by_scripts(cast, answer_prompt_harm='"unsure"'), headers=JSON)
    assert stale.status_code == 409
    assert "guidelines" in stale.json()["problem"]
    Item.objects.filter(pk=lone["id"]).update(blocked=True)
    gone = client.post(address, sent, headers=JSON)
    assert gone.status_code == 404
    assert gone.json()["problem"]
    assert Annotation.objects.get().seconds == 2.5


def test_g5_what_one_person_left_in_the_browser_is_not_stored_for_another(cast, items, client_for):
    mine = queue(client_for(cast.annotator)).json()["items"]
    other = client_for(cast.second)
    queue(other)
    for name in ("submit", "skip", "spare", "flag"):
        address = reverse(name, args=["guard", mine[0]["id"]])
        sent = sent_by_scripts(cast, answer_prompt_harm='"safe"', reason="broken")
        assert other.post(address, sent, headers=JSON).status_code == 401
    stranger = client_for(cast.stranger)
    there = stranger.post(reverse("queue", args=["guard"]), {"person": cast.annotator.pk}, headers=JSON)
    nowhere = stranger.post(reverse("queue", args=["nowhere"]), {"person": cast.annotator.pk}, headers=JSON)
    assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content)
    assert not Annotation.objects.exists()
    assert set(Assignment.objects.values_list("state", flat=True)) == {"leased"}


def test_an_ordinary_skip_is_counted_and_one_for_ones_own_sake_is_not(cast, items, client_for):
    client = client_for(cast.annotator)
    for name, counted in (("spare", 0), ("skip", 1)):
        client.post(reverse(name, args=["guard", item_in(page(client))]))
        assert Membership.objects.get(user=cast.annotator).skipped == counted


def test_a_flag_sent_twice_is_stored_once(cast, items, client_for):
    client = client_for(cast.annotator)
    item_id = item_in(page(client))
    sent = {"reason": "personal_data", "client_id": str(uuid4()), "person": cast.annotator.pk}
    for _ in range(2):
        flagged = client.post(reverse("flag", args=["guard", item_id]), sent, headers=JSON)
        assert flagged.status_code == 200
    assert Flag.objects.count() == 1


def test_g6_undo_gives_scripts_the_last_ten_with_their_answers(cast, add_items, client_for):
    add_items(cast.project, [{"id": f"i{n}", "prompt": f"question number {n}"} for n in range(12)])
    client = client_for(cast.annotator)
    answered = []
    for _ in range(12):
        shown = page(client)
        answered.append(item_in(shown))
        submit(client, shown, prompt_harm='"safe"')
    given = client.post(reverse("undo", args=["guard"]), headers=JSON).json()["items"]
    assert [one["id"] for one in given] == answered[:1:-1]
    assert given[0]["answers"] == {"answer_prompt_harm": ['"safe"']}
    assert "question number" in given[0]["html"]
    again = client.get(reverse("reopen", args=["guard", answered[0]]), headers=JSON).json()
    assert (again["id"], again["answers"]) == (answered[0], given[0]["answers"])


def test_p1_a_double_submit_is_stored_once(cast, items, client_for):
    client = client_for(cast.annotator)
    shown = page(client)
    for _ in range(3):
        submit(client, shown, **answers_for(item_in(shown)))
    assert Annotation.objects.count() == 1


def test_a_missing_answer_is_named_and_the_others_stay_chosen(cast, items, client_for):
    client = client_for(cast.annotator)
    shown = page(client)
    refused = submit(client, shown, prompt_harm='"unsafe"')
    assert refused.status_code == 422
    html = refused.content.decode()
    assert "an answer is needed" in html
    assert re.search(r'value="&quot;unsafe&quot;" checked', html)
    assert not Annotation.objects.exists()


def test_answers_to_hidden_questions_are_dropped(cast, items, client_for):
    client = client_for(cast.annotator)
    shown = page(client)
    item_id = item_in(shown)
    submit(client, shown, **answers_for(item_id), hazard_categories='"fraud"')
    assert "hazard_categories" not in Annotation.objects.get().answers


def test_a_form_from_before_new_guidelines_keeps_what_was_chosen(cast, items, client_for):
    client = client_for(cast.annotator)
    shown = page(client)
    publish_guidelines(cast.project, "New rules")
    stale = submit(client, shown, **answers_for(item_in(shown)))
    assert stale.status_code == 409
    assert re.search(r'value="&quot;safe&quot;" checked', stale.content.decode())
    assert submit(client, stale, **answers_for(item_in(stale))).status_code == 302


def test_undo_brings_the_last_item_back_and_stores_a_revision(cast, items, client_for):
    client = client_for(cast.annotator)
    shown = page(client)
    first = item_in(shown)
    submit(client, shown, **answers_for(first))
    back = client.post(reverse("undo", args=["guard"]), follow=True)
    assert item_in(back) == first
    submit(client, back, **(answers_for(first) | {"prompt_harm": '"unsure"'}))
    assert [a.answers["prompt_harm"] for a in Annotation.objects.order_by("revision")] == ["safe", "unsure"]


def test_skip_and_flag_move_on(cast, items, client_for):
    client = client_for(cast.annotator)
    first = item_in(page(client))
    client.post(reverse("skip", args=["guard", first]))
    second = item_in(page(client))
    assert second != first
    client.post(reverse("flag", args=["guard", second]), {"reason": "broken"})
    assert set(Assignment.objects.values_list("state", flat=True)) == {"skipped"}
    assert Item.objects.get(pk=second).flags.get().reason == "broken"


def test_hazardous_text_is_escaped(cast, add_items, client_for):
    add_items(cast.project, [{"id": "x", "prompt": "<script>alert(1)</script>\u202eevil\u200b"}])
    html = page(client_for(cast.annotator)).content.decode()
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "right-to-left override" in html
    assert "zero width space" in html


def test_guidelines_are_formatted_and_carry_no_html_of_their_own(cast, items, client_for):
    publish_guidelines(
        cast.project, "# Rules\n\n<script>alert(1)</script> [x](javascript:alert(2)) ![y](http://a/b)"
    )
    html = page(client_for(cast.annotator)).content.decode()
    assert "<h1>Rules</h1>" in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert '<img src="http' not in html


def contested(cast, item):
    question = Question.objects.get(project=cast.project, code="prompt_harm")
    return Label.objects.create(
        item=item,
        question=question,
        state="contested",
        source="human_vote",
        agreement=0,
        taxonomy_version=cast.project.taxonomy_version,
        votes=[
            {"annotation": 1, "voter": "annotator", "value": "safe"},
            {"verdict": 7, "voter": "llama-guard-3-juror", "value": "unsafe"},
        ],
    )


def test_p3_nothing_of_the_jury_reaches_the_annotator_before_the_submit(cast, items, client_for):
    """The page, its fragments, the order and the reviewer's queue: searched for bytes that only a juror made."""
    client = client_for(cast.annotator)
    before = page(client)
    order_before = list(Item.objects.order_by("rank").values_list("pk", flat=True))
    for item in items:
        contested(cast, item)
    after = page(client)
    queued = queue(client)
    scrub = re.compile(rb'[0-9a-f-]{36}|value="\w{64}"|X-CSRFToken": "\w+"|\d{4}-\d\d-\d\dT[\d:.]+')
    assert scrub.sub(b"", after.content) == scrub.sub(b"", before.content)
    for response in (after, queued, client.get(reverse("project", args=["guard"]))):
        assert b"llama-guard" not in response.content
        assert b"contested" not in response.content.lower()
    assert list(Item.objects.order_by("rank").values_list("pk", flat=True)) == order_before


def test_p3_a_reviewer_with_an_open_lease_on_an_item_does_not_review_it(cast, items, client_for):
    client = client_for(cast.reviewer)
    mine = item_in(page(client))
    other = next(item for item in items if item.pk != mine)
    contested(cast, Item.objects.get(pk=mine))
    review = reverse("review", args=["guard"])
    assert b"Nothing is contested" in client.get(review).content
    contested(cast, other)
    shown = client.get(review).content.decode()
    assert f"/review/{other.pk}/decide/" in shown


def test_p3_what_a_reviewer_has_seen_the_votes_of_is_not_handed_to_them_afterwards(cast, items, client_for):
    contested(cast, items[1])
    client = client_for(cast.reviewer)
    assert b"Juror 1" in client.get(reverse("review", args=["guard"])).content
    assert item_in(page(client)) == items[0].pk
    sent = {"client_id": str(uuid4()), "answer_prompt_harm": '"safe"'}
    client.post(reverse("submit", args=["guard", items[1].pk]), sent)
    assert not Annotation.objects.filter(item=items[1]).exists()


@pytest.mark.parametrize("part", ["", "nonsense", "x" * 300, "a\0b"])
def test_p3_deciding_shows_and_stores_nothing_where_there_is_nothing_to_review(cast, items, client_for, part):
    client = client_for(cast.reviewer)
    mine = Item.objects.get(pk=item_in(page(client)))
    contested(cast, mine)
    refused = client.post(reverse("decide", args=["guard", mine.pk]), {"part": part})
    assert refused.status_code == 404
    assert b"Juror 1" not in refused.content
    assert not Annotation.objects.exists()


def test_items_that_were_not_handed_out_are_not_shown(cast, items, client_for):
    client = client_for(cast.annotator)
    other = next(item for item in items if item.pk != item_in(page(client)))
    for name in ("submit", "reopen", "flag"):
        address = reverse(name, args=["guard", other.pk])
        response = client.get(address) if name == "reopen" else client.post(address)
        assert response.status_code == 404


def test_an_item_that_nobody_should_see_again_is_shown_to_nobody(cast, items, client_for):
    client = client_for(cast.annotator)
    shown = page(client)
    submit(client, shown, **answers_for(item_in(shown)))
    Item.objects.update(blocked=True)
    assert client.get(reverse("reopen", args=["guard", item_in(shown)])).status_code == 404
    assert submit(client, shown, **answers_for(item_in(shown))).status_code == 404


@pytest.mark.parametrize("odd", ["[" * 100_000, '"\\u0000"', '"\\ud800"', "NaN", "{}", "safe", ""])
def test_odd_answers_are_refused_in_words(cast, items, client_for, odd):
    client = client_for(cast.annotator)
    refused = submit(client, page(client), prompt_harm=odd)
    assert refused.status_code == 422
    assert not Annotation.objects.exists()


def test_a_flag_that_can_not_be_stored_says_so_and_stays(cast, items, client_for):
    client = client_for(cast.annotator)
    item_id = item_in(page(client))
    refused = client.post(reverse("flag", args=["guard", item_id]), {"reason": "not_again", "note": "x" * 2001})
    assert refused.status_code == 422
    assert b"The flag was not stored" in refused.content
    assert not Flag.objects.exists()


def test_a_page_left_open_for_days_is_taken(cast, items, client_for):
    client = client_for(cast.annotator)
    shown = page(client)
    sent = fields(shown, **answers_for(item_in(shown))) | {"seconds": "250000"}
    assert client.post(reverse("submit", args=["guard", item_in(shown)]), sent).status_code == 302
    assert Annotation.objects.get().seconds == 24 * 3600


def test_a_review_hides_names_and_its_decision_becomes_the_label(cast, items, client_for):
    lone = next(item for item in items if item.external_id == "lone")
    contested(cast, lone)
    client = client_for(cast.reviewer)
    shown = client.get(reverse("review", args=["guard"]))
    html = shown.content.decode()
    assert "Annotator 1" in html
    assert "Juror 1" in html
    assert "llama-guard-3-juror" not in html
    sent = fields(shown, prompt_harm='"unsafe"') | {"answer_hazard_categories": ['"fraud"', '"privacy"']}
    client.post(reverse("decide", args=["guard", lone.pk]), sent)
    label = Label.objects.get(item=lone, question__code="prompt_harm")
    assert (label.state, label.value, label.source) == ("settled", "unsafe", "adjudication")
    assert [vote["value"] for vote in label.votes] == ["unsafe"]
    hazards = Label.objects.get(item=lone, question__code="hazard_categories")
    assert hazards.value == ["fraud", "privacy"]
    assert b"Nothing is contested" in client.get(reverse("review", args=["guard"])).content


def test_p1_a_decision_sent_twice_is_stored_once(cast, items, client_for):
    lone = next(item for item in items if item.external_id == "lone")
    contested(cast, lone)
    client = client_for(cast.reviewer)
    sent = {"client_id": str(uuid4()), "part": "", "answer_prompt_harm": '"safe"'}
    for _ in range(2):
        client.post(reverse("decide", args=["guard", lone.pk]), sent)
    assert Annotation.objects.filter(exposure="adjudication").count() == 1


@pytest.mark.parametrize(("name", "most"), [("projects", 8), ("project", 14), ("annotate", 27)])
def test_pages_cost_few_queries(cast, items, client_for, django_assert_max_num_queries, name, most):
    client = client_for(cast.annotator)
    with django_assert_max_num_queries(most):
        client.get(reverse(name, args=[] if name == "projects" else ["guard"]))


def test_g10_scripts_and_styles_of_the_annotate_page_weigh_at_most_60_kb_compressed(cast, items, client_for):
    html = page(client_for(cast.annotator)).content.decode()
    files = set(re.findall(r'(?:src|href)="/static/([^"]+\.(?:js|css))"', html))
    assert {"annotate/annotate.js", "annotate/jurybox.css"} <= files
    weights = {name: len(gzip.compress(Path(finders.find(name)).read_bytes())) for name in files}
    assert sum(weights.values()) <= 60 * 1024, weights
