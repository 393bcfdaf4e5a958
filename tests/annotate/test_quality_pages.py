"""The person's own page, the lead's quality page, and the word about new guidelines."""

import json
import re
from datetime import timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate import gold, my_work
from annotate.adjudicate import adjudicate
from annotate.assign import next_item, skip
from annotate.import_gold import import_gold
from annotate.models import Annotation, Assignment, Item, Membership, OptOut, Project, Purpose, User
from annotate.questions import publish_guidelines
from annotate.submit import Submission, submit

SAFE = {"prompt_harm": "safe"}
FRAUD = {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}


@pytest.fixture
def known(cast, add_items, tmp_path):
    """Items of this purpose, all of them safe."""

    def make(purpose, count):
        rows = [{"id": f"{purpose}{n}", "prompt": f"text of {purpose} {n}"} for n in range(count)]
        items = add_items(cast.project, rows)
        path = tmp_path / "known.jsonl"
        path.write_text("\n".join(json.dumps({"id": row["id"], "answers": SAFE}) for row in rows))
        import_gold(cast.project, path, Purpose(purpose))
        return items

    return make


def answer(person, item, answers=SAFE, repeat=0, seconds=None):
    project = Project.objects.get(pk=item.project_id)
    guideline = project.guideline
    Assignment.objects.get_or_create(
        item=item, annotator=person, repeat=repeat, defaults={"leased_until": timezone.now() + timedelta(hours=1)}
    )
    sent = Submission(
        uuid4(),
        answers,
        taxonomy_version_id=project.taxonomy_version_id,
        guideline_id=guideline.pk if guideline else None,
        seconds=seconds,
        repeat=repeat,
    )
    return submit(person, item, sent)


@pytest.fixture
def tomorrow():
    """Own figures end with yesterday: looked at a day later, today's work is in them."""
    with mock.patch("annotate.my_work.start_of_day", return_value=timezone.now() + timedelta(hours=1)):
        yield


def seen(client, name, *args):
    response = client.get(reverse(name, args=["guard", *args]))
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# My work


@pytest.mark.usefixtures("tomorrow")
@pytest.mark.parametrize(
    ("count", "right", "says", "never"),
    [
        (19, 19, "19 of 20 gold items that are needed to say it", "interval"),
        (20, 15, "15 of 20: 75 % 95 % interval 53 % to 89 %", "needed to say it 0"),
    ],
)
def test_own_accuracy_is_said_from_twenty_gold_items_on(cast, known, client_for, count, right, says, never):
    for place, item in enumerate(known("gold", count)):
        answer(cast.annotator, item, SAFE if place < right else FRAUD)
    page = seen(client_for(cast.annotator), "my_work")
    assert says in page
    assert never not in page


def test_own_figures_do_not_tell_whether_the_last_item_was_gold(cast, known, client_for):
    items = known("gold", 21)
    client = client_for(cast.annotator)
    for item in items[:20]:
        answer(cast.annotator, item)
    before = seen(client, "my_work")
    answer(cast.annotator, items[20])
    after = seen(client, "my_work")
    assert "0 of 20 gold items" in before
    assert "0 of 20 gold items" in after
    with mock.patch("annotate.my_work.start_of_day", return_value=timezone.now() + timedelta(hours=1)):
        assert "21 of 21: 100 %" in seen(client, "my_work")


@pytest.mark.usefixtures("tomorrow")
def test_own_consistency(cast, add_items, client_for):
    items = add_items(cast.project, [{"id": f"i{n}", "prompt": f"p{n}"} for n in range(20)])
    for place, item in enumerate(items):
        answer(cast.annotator, item)
        answer(cast.annotator, item, SAFE if place < 18 else FRAUD, repeat=1)
    assert "18 of 20: 90 %" in seen(client_for(cast.annotator), "my_work")
    assert "0 of 20 repeats" in seen(client_for(cast.second), "my_work")


def test_pace_is_the_median_of_active_seconds_and_skips_are_in_no_figure(cast, add_items, client_for):
    items = add_items(cast.project, [{"id": f"i{n}", "prompt": f"p{n}"} for n in range(14)])
    client = client_for(cast.annotator)
    for item, seconds in zip(items, [5, 6, 7, 8, 9, 11, 12, 13, 4000], strict=False):
        answer(cast.annotator, item, seconds=seconds)
    assert "said from 10 items on" in seen(client, "my_work")
    answer(cast.annotator, items[9], seconds=10)
    before = seen(client, "my_work")
    assert "10 s" in before, "half of 9.5, and the long one moves nothing"
    for counted in (True, False):
        skip(next_item(cast.annotator, cast.project), counted=counted)
    assert seen(client, "my_work") == before


def test_a_change_of_mind_is_no_second_item(cast, add_items, client_for):
    [item] = add_items(cast.project, [{"id": "a", "prompt": "p"}])
    answer(cast.annotator, item)
    answer(cast.annotator, item, FRAUD)
    assert "In all 1" in seen(client_for(cast.annotator), "my_work")


def test_where_review_decided_otherwise_without_names(cast, add_items, client_for):
    cast.project.forget_fetched()
    one, other = add_items(cast.project, [{"id": "a", "prompt": "<b>bold</b>"}, {"id": "b", "prompt": "p"}])
    for item in (one, other):
        answer(cast.annotator, item)
    adjudicate(cast.reviewer, one, "", FRAUD, uuid4(), reason="overlooked", rationale="look at <i>the end</i>")
    adjudicate(cast.reviewer, other, "", SAFE, uuid4())
    html = client_for(cast.annotator).get(reverse("my_work", args=["guard"])).content.decode()
    section = html[html.index('id="differed"') :]
    assert "something in the item was overlooked" in section
    assert "look at &lt;i&gt;the end&lt;/i&gt;" in section
    assert "&lt;b&gt;bold&lt;/b&gt;" in section
    assert "Fraud" in section, "hazards by name, not by code"
    assert section.count("<li>") == 2, "one for each question, and none for the item that review agreed on"
    assert cast.reviewer.username not in html
    assert "Nowhere so far" in seen(client_for(cast.second), "my_work")


def test_the_download_holds_the_persons_own_answers_and_no_text(cast, known, add_items, client_for):
    publish_guidelines(cast.project, "be careful")
    [gold_item] = known("gold", 1)
    [item] = add_items(cast.project, [{"id": "secret-id", "prompt": "a hazardous text"}])
    answer(cast.annotator, item, seconds=4.5)
    answer(cast.annotator, item, FRAUD)
    answer(cast.annotator, gold_item)
    answer(cast.second, item)
    response = client_for(cast.annotator).get(reverse("my_data", args=["guard"]))
    assert response["Content-Disposition"] == 'attachment; filename="guard-my-annotations.jsonl"'
    body = b"".join(response.streaming_content).decode()
    rows = [json.loads(line) for line in body.splitlines()]
    assert [(row["item"], row["revision"], row["answers"]) for row in rows] == [
        (item.pk, 1, SAFE),
        (item.pk, 2, FRAUD),
        (gold_item.pk, 1, SAFE),
    ]
    assert (rows[0]["seconds"], rows[0]["guidelines"], rows[0]["exposure"]) == (4.5, 1, "blind")
    for secret in ("a hazardous text", "gold", "secret-id", cast.second.username + '"'):
        assert secret not in body


# Quality


def test_people_stand_by_name_with_counts_below_twenty(cast, known, client_for):
    items = known("gold", 20)
    for name in ("Zoe", "anna", "Bob"):
        User.objects.filter(username={"Zoe": "annotator", "anna": "second", "Bob": "reviewer"}[name]).update(
            first_name=name
        )
    for item in items[:9]:
        answer(cast.annotator, item)
    for item in items:
        answer(cast.second, item, {"prompt_harm": "unsure"})
    page = seen(client_for(cast.lead), "quality")
    names = [page.index(name) for name in ("anna 0 of 20", "Bob none yet", "Zoe 9 of 9")]
    assert names == sorted(names)
    assert "unsure on 20" in page
    assert "9 of 9:" not in page, "no share and no interval of nine"
    assert "0 of 20: 0 % 95 % interval 0 % to 16 %" in page


@pytest.mark.parametrize(("right", "flagged"), [(12, True), (13, False)])
def test_the_flag_follows_the_interval(cast, known, client_for, right, flagged):
    for place, item in enumerate(known("gold", 20)):
        answer(cast.annotator, item, SAFE if place < right else FRAUD)
    assert ("below 80 %" in seen(client_for(cast.lead), "quality").split("How to read")[0]) is flagged


def test_the_quality_page_says_nothing_of_pace_and_skips(cast, known, client_for):
    [item] = known("gold", 1)
    answer(cast.annotator, item, seconds=31337)
    Membership.objects.filter(user=cast.annotator).update(skipped=4242)
    html = client_for(cast.lead).get(reverse("quality", args=["guard"])).content.decode()
    assert "31337" not in html
    assert "4242" not in html
    assert "skip" not in html.split("<main")[1]


def fail_warm_up(cast, known):
    for item in known("warm_up", 4):
        answer(cast.annotator, item, FRAUD)


def act(client, person, **sent):
    membership = Membership.objects.get(user=person)
    return client.post(reverse("let_through", args=["guard", membership.pk]), sent, follow=True).content.decode()


def test_a_failed_warm_up_is_told_kindly_and_a_lead_can_ask_again(cast, known, add_items, client_for):
    fail_warm_up(cast, known)
    add_items(cast.project, [{"id": "a", "prompt": "p"}])
    annotator, lead = client_for(cast.annotator), client_for(cast.lead)
    assert "0 of 4 answers were as known" in seen(annotator, "annotate")
    page = seen(lead, "quality")
    assert "not passed 0 of 4 right" in page
    assert "second none yet none yet under way, answered: 0" in page
    assert "is asked the warm-up once more" in act(lead, cast.annotator, again="1")
    assert "has no failed warm-up" in act(lead, cast.annotator, again="1")
    assert next_item(cast.annotator, cast.project).repeat == 1


def test_an_opt_out_from_hazards_is_not_seen_by_leads(cast, known, client_for):
    first, *_ = known("warm_up", 3)
    Item.objects.filter(pk=first.pk).update(hazards=["fraud"])
    before = seen(client_for(cast.lead), "quality")
    OptOut.objects.create(user=cast.annotator, taxonomy=cast.project.taxonomy_version.taxonomy, code="fraud")
    assert seen(client_for(cast.lead), "quality") == before


def test_a_lead_can_wave_a_person_through(cast, known, add_items, client_for):
    fail_warm_up(cast, known)
    add_items(cast.project, [{"id": "a", "prompt": "p"}])
    assert "annotator may work now" in act(client_for(cast.lead), cast.annotator)
    assert "through since" in seen(client_for(cast.lead), "quality")
    assert next_item(cast.annotator, cast.project).item.external_id == "a"


def test_members_of_other_projects_are_not_reached(cast, client_for):
    other = Project.objects.create(slug="other", title="Other")
    elsewhere = Membership.objects.create(project=other, user=cast.stranger, role="annotator")
    address = reverse("let_through", args=["guard", elsewhere.pk])
    assert client_for(cast.lead).post(address).status_code == 404
    elsewhere.refresh_from_db()
    assert elsewhere.qualified_at is None


# Guidelines


def test_new_guidelines_are_told_once_with_what_changed(cast, add_items, client_for):
    add_items(cast.project, [{"id": "a", "prompt": "p"}])
    publish_guidelines(cast.project, "first")
    my_work.saw_guideline(cast.annotator, cast.project, 1)
    lead, annotator = client_for(cast.lead), client_for(cast.annotator)
    publish = reverse("publish_guidelines", args=["guard"])
    lead.post(publish, {"text": "second", "changes": "Scams are *fraud* now."})
    lead.post(publish, {"text": "third", "changes": "Dates too."})
    html = annotator.get(reverse("annotate", args=["guard"])).content.decode()
    assert "Guidelines, version 3" in html
    assert html.index("Dates too.") < html.index("Scams are <em>fraud</em> now.")
    assert "Got it" not in seen(lead, "annotate"), "who wrote it knows it"
    address = reverse("guideline_seen", args=["guard"])
    assert annotator.post(address, {"version": "2"}).status_code == 302
    half = seen(annotator, "annotate")
    assert "Dates too." in half
    assert "Scams" not in half
    assert annotator.post(address, {"version": "3"}, headers={"HX-Request": "true"}).content == b""
    assert "Dates too." not in seen(annotator, "annotate")
    assert Membership.objects.get(user=cast.annotator).guideline_seen == 3
    assert "Dates too." in seen(client_for(cast.second), "annotate"), "each person for themselves"


@pytest.mark.parametrize("version", ["", "x", "-1", "4", "999999999999", "²"])
def test_a_version_that_is_not_there_cannot_be_seen(cast, client_for, version):
    publish_guidelines(cast.project, "first")
    client_for(cast.annotator).post(reverse("guideline_seen", args=["guard"]), {"version": version})
    assert Membership.objects.get(user=cast.annotator).guideline_seen == 0


def test_an_older_page_does_not_take_back_what_was_seen(cast, client_for):
    for text in ("first", "second"):
        publish_guidelines(cast.project, text)
    project = Project.objects.get(pk=cast.project.pk)
    my_work.saw_guideline(cast.annotator, project, 2)
    my_work.saw_guideline(cast.annotator, project, 1)
    assert my_work.unseen_guideline(cast.annotator, project) is None
    assert my_work.unseen_guideline(cast.admin, project) is None


def test_a_warm_up_answer_is_explained_on_the_page(cast, known, client_for):
    known("warm_up", 2)
    client = client_for(cast.annotator)
    item = next_item(cast.annotator, cast.project).item
    sent = {
        "client_id": str(uuid4()),
        "taxonomy_version": cast.project.taxonomy_version_id,
        "answer_prompt_harm": '"unsafe"',
        "answer_hazard_categories": '"fraud"',
    }
    told = client.post(
        reverse("submit", args=["guard", item.pk]), sent, headers={"Accept": "application/json"}
    ).json()["feedback"]
    assert "Warm-up: not quite" in told
    assert "Warm-up, 1 of 2" in " ".join(told.split())
    assert Annotation.objects.count() == 1
    assert Item.objects.get(pk=item.pk).taken == 0
    assert not gold.warm_up_of(cast.annotator, cast.project).finished
