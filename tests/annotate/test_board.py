"""Every figure on the board opens the items that it counts; nothing on it is about one person."""

import random
import re
import uuid
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate.agreement import agreement
from annotate.board import answers_by_day, overview
from annotate.board_votes import votes
from annotate.measure_agreement import measure_agreement
from annotate.models import Annotation, Assignment, Flag, Item, Membership, Project, Role, SavedFilter, User
from jury.models import Juror, Verdict
from jury.weigh import weigh

HAZARDS = ["violence", "fraud", "privacy"]


@pytest.fixture
def seeded(cast, add_items):
    return seed(cast, add_items)


def seed(cast, add_items):
    """Sixty items that three people and three jurors judged, partly, often differing; then weighed."""
    source = random.Random(7)
    people = [cast.annotator, cast.second, cast.reviewer]
    jurors = [Juror.objects.create(slug=f"j{n}", title="x", adapter="x") for n in range(3)]
    items = add_items(cast.project, [{"id": f"item-{n:03}", "prompt": f"secret words {n}"} for n in range(60)])
    Item.objects.filter(pk__in=[item.pk for item in items]).update(wanted=3)

    def answers(truth):
        if source.random() < 0.3:
            truth = source.choice([[], *([hazard] for hazard in HAZARDS)])
        given = {"prompt_harm": "unsafe" if truth else "safe"}
        return given | ({"hazard_categories": truth} if truth else {})

    for item in items[:50]:
        truth = source.choice([[], ["violence"], ["fraud"], ["fraud", "privacy"]])
        for person in people[: source.randint(0, 3)]:
            Annotation.objects.create(
                item=item, annotator=person, answers=answers(truth), exposure="blind", client_id=uuid.uuid4()
            )
            Assignment.objects.create(item=item, annotator=person, state="submitted", leased_until=timezone.now())
            Item.objects.filter(pk=item.pk).update(taken=item.assignments.count())
        for juror in jurors:
            Verdict.objects.create(item=item, juror=juror, prompt_version="1", answers=answers(truth))
    gold = Item.objects.filter(pk=items[1].pk)
    gold.update(purpose="gold")
    weigh(cast.project)
    return cast.project


def links(page):
    """(address, number shown) of every figure's link."""
    found = []
    for address, inside in re.findall(r'<a href="([^"]*/items/\?[^"]+)">(.*?)</a>', page, re.DOTALL):
        shown = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", inside.replace('class="bar-text"', "")).split()
        found.append((unescape(address), int(shown[-1])))
    return found


def test_every_figure_opens_as_many_items_as_it_says(seeded, cast, client_for):
    client = client_for(cast.lead)
    page = client.get(reverse("board", args=["guard"]) + "?figures").content.decode()
    figures = links(page)
    keys = {key for address, _ in figures for key in re.findall(r"[?&](\w+)=", address)}
    expected = {"state", "question", "value", "category", "named", "confused", "disagree", "people", "jury"}
    assert expected | {"answered", "purpose"} == keys
    assert len(figures) > 30
    for address, shown in figures:
        listed = client.get(address)
        assert listed.status_code == 200, address
        assert listed.context["page"].paginator.count == shown, address


def test_the_page_comes_at_once_and_the_counts_follow(seeded, cast, client_for, django_assert_max_num_queries):
    client = client_for(cast.lead)
    with django_assert_max_num_queries(25):
        page = client.get(reverse("board", args=["guard"])).content.decode()
    assert "hx-get" in page
    assert "Agreement by category" not in page
    with django_assert_max_num_queries(45):
        fragment = client.get(reverse("board", args=["guard"]), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "Agreement by category" in fragment
    assert fragment.count('role="img"') >= 2


def test_nothing_is_about_one_person_and_no_item_text_is_there(seeded, cast, client_for):
    User.objects.filter(pk=cast.annotator.pk).update(first_name="Ada", last_name="Lovelace")
    page = client_for(cast.lead).get(reverse("board", args=["guard"]) + "?figures").content.decode()
    main = page.split("<main")[1]
    for secret in ("Ada", "Lovelace", "second", "j0", "secret words", "item-0"):
        assert secret not in main


def test_agreement_is_that_of_the_agreement_page(seeded):
    Item.objects.update(purpose="")  # gold items, which the board leaves out, aside
    shown = {entry.question.code: entry for entry in votes(Project.objects.get())}
    for full in measure_agreement(seeded):
        if full["alpha"]["value"] is not None:
            assert shown[full["question"]].alpha["value"] == pytest.approx(full["alpha"]["value"])
    said = Annotation.objects.votes().filter(answers__has_key="hazard_categories")
    rows = [(v.item_id, v.annotator_id, "fraud" in v.answers["hazard_categories"]) for v in said]
    [fraud] = [entry for entry in shown["hazard_categories"].categories if entry.code == "fraud"]
    assert fraud.alpha["value"] == pytest.approx(agreement(*zip(*rows, strict=True)).alpha.value)


def test_an_empty_project_has_a_board_too(cast, client_for):
    page = client_for(cast.lead).get(reverse("board", args=["guard"]) + "?figures").content.decode()
    assert "too little to say" in page
    assert "Too little to say" not in page  # nothing is wanted, so nothing is to be forecast


def test_the_forecast_leaves_today_gold_imports_and_changes_of_mind_out(cast, add_items, monkeypatch):
    items = add_items(cast.project, [{"id": f"i{n}", "prompt": str(n)} for n in range(4)])
    Item.objects.filter(external_id="i3").update(purpose="gold")
    now = timezone.now()

    def answer(days_ago, item, person, **more):
        monkeypatch.setattr(timezone, "now", lambda: now - timedelta(days=days_ago))
        Annotation.objects.create(
            **{"item": item, "annotator": person, "answers": {}, "exposure": "blind", "client_id": uuid.uuid4()}
            | more
        )
        monkeypatch.undo()

    answer(3, items[0], cast.annotator)
    answer(3, items[1], cast.annotator)
    answer(2, items[0], cast.second)
    answer(2, items[0], cast.second, revision=2)
    answer(2, items[1], cast.second, exposure="imported")
    answer(2, items[1], cast.reviewer, exposure="adjudication")
    answer(2, items[3], cast.reviewer)
    answer(1, items[1], cast.lead, exposure="assisted")
    answer(0, items[2], cast.annotator)
    assert answers_by_day(cast.project) == [1, 1, 2]
    found = overview(cast.project)
    assert (found.answers, found.wanted) == (0, 6)  # answers are counted by the slots that they took
    assert found.forecast.days == 5  # 6 at 4/3 a day


def test_a_filter_is_saved_used_and_deleted_by_page(seeded, cast, client_for):
    client = client_for(cast.lead)
    here = reverse("items", args=["guard"])
    query = "question=prompt_harm&value=unsafe&purpose=label"
    page = client.get(f"{here}?{query}")
    count = page.context["page"].paginator.count
    assert 0 < count < 60
    saved = client.post(reverse("save_filter", args=["guard"]), {"query": query, "name": "unsafe-ones"})
    assert saved.status_code == 302
    assert client.get(saved.url).context["page"].paginator.count == count
    client.post(reverse("use_for_queue", args=["guard"]), {"filter": "unsafe-ones"})
    assert Project.objects.get().queue_filter.name == "unsafe-ones"
    assert "The queue hands out only" in client.get(here).content.decode()
    client.post(reverse("use_for_queue", args=["guard"]))
    assert Project.objects.get().queue_filter is None
    client.post(reverse("use_for_queue", args=["guard"]), {"filter": "unsafe-ones"})
    client.post(reverse("delete_filter", args=["guard", SavedFilter.objects.get().pk]))
    assert not SavedFilter.objects.exists()
    assert Project.objects.get().queue_filter is None


def test_a_bad_name_or_address_changes_nothing(seeded, cast, client_for):
    client = client_for(cast.lead)
    client.post(reverse("save_filter", args=["guard"]), {"query": "kind=prompt", "name": "good"})
    for sent in ({"query": "kind=poem", "name": "good"}, {"query": "kind=prompt", "name": "no good"}, {}):
        client.post(reverse("save_filter", args=["guard"]), sent)
    assert [saved.conditions for saved in SavedFilter.objects.all()] == [{"kind": ["prompt"]}]
    refused = client.get(reverse("items", args=["guard"]) + "?kind=poem&<script>=1")
    assert refused.status_code == 400
    assert "poem is not one of" in refused.content.decode()
    assert "<script>=" not in refused.content.decode()
    assert client.post(reverse("use_for_queue", args=["guard"]), {"filter": "nowhere"}).status_code == 404


def test_another_projects_filter_is_out_of_reach(seeded, cast, client_for):
    other = Project.objects.create(slug="other", title="Other")
    theirs = SavedFilter.objects.create(project=other, name="theirs", conditions={"kind": ["prompt"]})
    client = client_for(cast.lead)
    assert client.post(reverse("delete_filter", args=["guard", theirs.pk])).status_code == 404
    assert client.post(reverse("use_for_queue", args=["guard"]), {"filter": "theirs"}).status_code == 404


def test_pages_keep_the_filter_and_blocked_items_show_no_text(seeded, cast, client_for, add_items):
    add_items(seeded, [{"id": f"more-{n:03}", "prompt": f"further {n}"} for n in range(60)])
    Item.objects.filter(external_id="more-000").update(blocked=True)
    Flag.objects.create(item=Item.objects.get(external_id="more-001"), reason="other")
    client = client_for(cast.lead)
    page = client.get(reverse("items", args=["guard"]) + "?id_contains=more").content.decode()
    assert "id_contains=more&amp;page=2" in page
    assert "further 1" in page
    assert "further 0" not in page
    second = client.get(reverse("items", args=["guard"]) + "?id_contains=more&page=2")
    assert len(second.context["rows"]) == 10


def test_the_list_asks_a_fixed_number_of_questions(seeded, cast, client_for, django_assert_max_num_queries):
    client = client_for(cast.lead)
    with django_assert_max_num_queries(16):
        client.get(reverse("items", args=["guard"]) + "?state=settled&question=prompt_harm")


def test_leads_have_a_tab_others_have_none(seeded, cast, client_for):
    address = reverse("board", args=["guard"])
    assert address in client_for(cast.lead).get(reverse("project", args=["guard"])).content.decode()
    assert address not in client_for(cast.reviewer).get(reverse("project", args=["guard"])).content.decode()
    assert Membership.objects.filter(role=Role.LEAD).count() == 1
