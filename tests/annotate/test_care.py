"""G13: no sitting and no day over the cap, never too many severe items in a row, nothing opted out of."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from annotate import assign, gold
from annotate.care import notice_of, waiting_reason
from annotate.import_items import item_rank
from annotate.models import (
    Assignment,
    CategoryMap,
    Item,
    Label,
    Membership,
    OptOut,
    Preferences,
    Project,
    Purpose,
    Role,
    Sitting,
    Source,
    User,
)
from annotate.opt_out import set_opt_outs
from annotate.questions import NewProject, create_project
from annotate.suspect import note_suspicions
from annotate.taxonomy import Draft, publish, start_next, write_draft
from jury.models import Juror, Verdict
from jury.weigh import weigh

ASSIGNMENTS = 10_000
PARENTS = {
    "body": [],
    "mind": [],
    "violence": ["body"],
    "gore": ["violence"],
    "weapons": ["violence"],
    "self_harm": ["body", "mind"],
    "fear": ["mind"],
    "shame": ["mind"],
}
LEAVES = ["gore", "weapons", "self_harm", "fear", "shame"]


def is_below(code, group):
    return code == group or any(is_below(parent, group) for parent in PARENTS[code])


@pytest.fixture
def deep(db):
    """A taxonomy of three levels, one leaf of it under two groups."""
    categories = [
        {"code": code, "name": code, "parents": parents, "kind": "hazard" if code in LEAVES else "group"}
        for code, parents in PARENTS.items()
    ]
    return publish(write_draft(Draft(code="deep", title="Deep", version="1", categories=categories)))


def make_project(slug, **settings):
    project = create_project(NewProject(slug=slug, title=slug, taxonomy="deep", overlap=6))
    Project.objects.filter(pk=project.pk).update(**settings)
    return Project.objects.get(pk=project.pk)


def make_items(project, count, draw, purpose=Purpose.LABEL):
    source, _ = Source.objects.get_or_create(project=project, name="made")

    def item(number):
        name = f"{purpose}{number}"
        return Item(
            project=project,
            external_id=name,
            kind="text",
            content={"text": name},
            content_hash=name,
            source=source,
            purpose=purpose,
            rank=item_rank(project.slug, name),
            wanted=0 if purpose else project.overlap,
            **draw(),
        )

    return Item.objects.bulk_create(item(number) for number in range(count))


@dataclass
class Person:
    """What the test itself knows of one person; nothing of it is read from what is tested."""

    user: User
    own: Preferences | None
    opted_out: set = field(default_factory=set)
    # In the order in which they may have been seen; a rest begins a new list.
    sitting: list = field(default_factory=list)
    before: list = field(default_factory=list)
    open: dict = field(default_factory=dict)


@dataclass
class Seen:
    item: int
    severe: bool
    at: datetime


class World:
    """People at work for a long time, at random; every hand-out is checked against plain counting."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.projects = [
            make_project(
                "a", severe_in_row=2, severe_per_session=5, severe_per_day=9, severe_categories=["violence"]
            ),
            make_project(
                "b", severe_in_row=3, severe_per_day=14, severe_categories=["mind"], jury_informs_care=True
            ),
            make_project("c", severe_in_row=1, severe_per_session=7),
        ]
        for project in self.projects:
            make_items(project, 1_200, self.draw)
            make_items(project, 60, self.draw, Purpose.GOLD)
        self.people = [self.make_person(number) for number in range(6)]
        self.handed = 0

    def draw(self):
        pick = self.random
        return {
            "severity": pick.choices([0, 1, 2], [6, 2, 2])[0],
            "hazards": pick.sample(LEAVES, pick.choices([0, 1, 2], [6, 3, 1])[0]),
            "suspected": pick.sample(LEAVES, pick.choices([0, 1], [8, 2])[0]),
        }

    def make_person(self, number):
        user = User.objects.create(username=f"p{number}")
        for project in self.projects:
            Membership.objects.create(project=project, user=user, role=Role.ANNOTATOR)
        own = None
        if number % 3 == 0:
            own = Preferences.objects.create(user=user, severe_per_session=3, severe_per_day=50, severe_in_row=1)
        return Person(user, own)

    def due(self, person, project, membership, count):
        """Stands for gold.due: gold items at random, whatever is in them."""
        if count == 0 or self.random.random() < 0.6:
            return []
        left = Item.objects.filter(project=project, purpose=Purpose.GOLD).exclude(assignments__annotator=person)
        return [(item, 0) for item in left[: self.random.randint(1, count)]]

    def severe(self, item):
        project = next(project for project in self.projects if project.pk == item.project_id)
        codes = item.hazards + (item.suspected if project.jury_informs_care else [])
        return item.severity == 2 or any(
            is_below(code, group) for code in codes for group in project.severe_categories
        )

    def ask(self, person, project):
        found = assign.next_items(person.user, project, self.random.randint(1, 8))
        self.notice_what_went_back(person, project, found)
        fresh = [one for one in found if one.pk not in person.open]
        for one in found:
            seen = [*one.item.hazards, *one.item.suspected]
            assert not any(is_below(code, group) for code in seen for group in person.opted_out), "opted out"
        for one in fresh:
            person.sitting.append(Seen(one.item_id, self.severe(one.item), one.created_at))
            person.open[one.pk] = one
            self.check(person, project)
        self.handed += len(fresh)

    def notice_what_went_back(self, person, project, found):
        """New limits: the queue was given back and handed out anew, and only its first item was seen."""
        held = [one for one in person.open.values() if one.item.project_id == project.pk]
        now = {one.pk: one.created_at for one in found}
        if any(now.get(one.pk) != one.created_at for one in held):
            self.forget(person, held[1:])
            for one in held[:1]:
                del person.open[one.pk]

    def check(self, person, project):
        """Another project may have allowed more before; what is handed out here must not add to it."""
        if not person.sitting[-1].severe:
            return
        own = person.own
        run = next((n for n, seen in enumerate(reversed(person.sitting)) if not seen.severe), len(person.sitting))
        assert run <= min(project.severe_in_row, own.severe_in_row if own else 99), "too many in a row"
        midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        today = [seen for seen in person.before + person.sitting if seen.at >= midnight]
        for name, log in (("severe_per_session", person.sitting), ("severe_per_day", today)):
            most = min(getattr(project, name) or 999, (getattr(own, name) if own else None) or 999)
            assert len({seen.item for seen in log if seen.severe}) <= most, name

    def answer(self, person, project):
        for pk, one in list(person.open.items())[: self.random.choice([0, 3, 8, 8, 8])]:
            if one.item.project_id == project.pk:
                state = self.random.choice(["submitted", "submitted", "skipped"])
                Assignment.objects.filter(pk=pk).update(state=state)
                del person.open[pk]

    def release(self, person, project):
        """The page gives back the end of its queue, which it never showed."""
        held = [one for one in person.open.values() if one.item.project_id == project.pk]
        unseen = held[self.random.randint(1, 8) :]
        if any(one.item.project_id != project.pk for one in list(person.open.values())[-len(unseen) :]):
            return
        now = dict(Assignment.objects.filter(pk__in=[one.pk for one in unseen]).values_list("pk", "leased_until"))
        assert assign.release(person.user, project, now) == len(unseen)
        self.forget(person, unseen)

    def forget(self, person, unseen):
        for one in unseen:
            del person.open[one.pk]
        gone = {one.item_id for one in unseen}
        person.sitting = [seen for seen in person.sitting if seen.item not in gone]
        person.before = [seen for seen in person.before if seen.item not in gone]

    def rest(self, person, minutes):
        """Time passes: all that is stored of this person lies further back; the sweeper may come late."""
        back = timedelta(minutes=minutes)
        mine = Assignment.objects.filter(annotator=person.user, created_at__gte=timezone.now() - timedelta(days=2))
        mine.update(created_at=F("created_at") - back, leased_until=F("leased_until") - back)
        Sitting.objects.filter(user=person.user).update(
            seen_at=F("seen_at") - back, started_at=F("started_at") - back
        )
        if self.random.random() < 0.7:
            assign.reopen_expired_leases()
        # Of what was in hand only the first item of each page was on the screen.
        firsts = {one.item.project_id: one.pk for one in reversed(person.open.values())}.values()
        self.forget(person, [one for one in person.open.values() if one.pk not in firsts])
        person.before += person.sitting
        for seen in person.before:
            seen.at -= back
        person.open, person.sitting = {}, []

    def opt_out(self, person):
        person.opted_out = set(self.random.sample(list(PARENTS), self.random.choice([0, 1, 1, 2])))
        taxonomy = self.projects[0].taxonomy_version.taxonomy_id
        held = list(person.open.values())
        offered = [f"{taxonomy}:{code}" for code in PARENTS]
        set_opt_outs(person.user, [f"{taxonomy}:{code}" for code in person.opted_out], offered)
        if held and not Assignment.objects.filter(annotator=person.user, state="leased").exists():
            firsts = {one.item.project_id: one.pk for one in reversed(held)}.values()
            self.forget(person, [one for one in held if one.pk not in firsts])
            person.open = {}

    def suspect(self, person):
        """The jury finds more in some items, also in some that are in hand."""
        for one in [*person.open.values(), *Item.objects.order_by("rank")[:5]]:
            item = one.item if isinstance(one, Assignment) else one
            if item.project_id != self.projects[1].pk and self.random.random() < 0.5:
                Item.objects.filter(pk=item.pk).update(suspected=[*item.suspected, self.random.choice(LEAVES)])

    def step(self):
        person, project = self.random.choice(self.people), self.random.choice(self.projects)
        act = self.random.choices(
            [self.answer, self.release, self.rest, self.opt_out, self.suspect], [80, 8, 8, 2, 2]
        )[0]
        self.ask(person, project)
        if act == self.rest:
            self.rest(person, self.random.choice([31, 31, 45, 25 * 60]))
        elif act in (self.answer, self.release):
            act(person, project)
        else:
            act(person)


@pytest.mark.timeout(1200)
@pytest.mark.django_db(transaction=True)
def test_g13_ten_thousand_random_assignments_keep_to_every_limit(deep, monkeypatch):
    world = World(seed=20_261_123)
    monkeypatch.setattr(gold, "due", world.due)
    random.seed(7)
    steps = 0
    while world.handed < ASSIGNMENTS:
        world.step()
        steps += 1
        assert steps < ASSIGNMENTS, "nothing is handed out any more"
        if steps % 200 == 1:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE annotate_item, annotate_assignment")


@pytest.fixture
def person(deep, cast):
    return cast.annotator


@pytest.fixture
def project(person):
    project = make_project("hard", severe_in_row=2, severe_per_session=4)
    Membership.objects.create(project=project, user=person, role=Role.ANNOTATOR)
    return project


def fill(project, *severities, **more):
    items = make_items(project, len(severities), lambda: more)
    for place, (item, severity) in enumerate(zip(items, severities, strict=True)):
        Item.objects.filter(pk=item.pk).update(rank=place, severity=severity)
    return items


def answer_all(person):
    Assignment.objects.filter(annotator=person, state="leased").update(state="submitted")


def back(person, **time):
    back = timedelta(**time)
    Assignment.objects.filter(annotator=person).update(created_at=F("created_at") - back)
    Sitting.objects.filter(user=person).update(seen_at=F("seen_at") - back, started_at=F("started_at") - back)


def severities(handed):
    return [one.item.severity for one in handed]


def test_mild_items_go_between_severe_ones(person, project):
    fill(project, 2, 2, 2, 2, 0, 1, 2)
    assert severities(assign.next_items(person, project, 8)) == [2, 2, 0, 1, 2, 2], "the fifth is over the cap"


def test_only_severe_ones_left_a_rest_opens_the_next_and_looking_is_no_rest_undone(person, project):
    fill(project, 2, 2, 2, 2)
    assert severities(assign.next_items(person, project, 8)) == [2, 2]
    assert waiting_reason(person, project) == "mild_only"
    answer_all(person)
    for _ in range(4):
        assert assign.next_items(person, project, 8) == []
        back(person, minutes=9)
    assert severities(assign.next_items(person, project, 8)) == [2, 2], "looks at an empty page are no work"


def test_why_there_is_nothing(person, project):
    fill(project, 2, 0, 2, 0, 2, 0, 2, 0, 2, 2)
    assert waiting_reason(person, project) == ""
    handed = assign.next_items(person, project, 10)
    assert sum(one.item.severity == 2 for one in handed) == 4
    answer_all(person)
    assert assign.next_items(person, project, 1) == []
    assert waiting_reason(person, project) == "resting"
    back(person, minutes=31)
    assert waiting_reason(person, project) == ""
    assert len(assign.next_items(person, project, 10)) == 2


def test_p3_what_the_jury_suspects_is_never_the_reason_that_is_told(person, project):
    Project.objects.filter(pk=project.pk).update(severe_categories=["mind"], jury_informs_care=True)
    project.refresh_from_db()
    fill(project, 0, 0, 0, suspected=["fear"])
    assert len(assign.next_items(person, project, 8)) == 2
    assert waiting_reason(person, project) == ""


def test_what_the_jury_suspects_counts_towards_caps_only_if_the_lead_says_so(person, project):
    Project.objects.filter(pk=project.pk).update(severe_categories=["mind"])
    project.refresh_from_db()
    fill(project, 0, 0, 0, suspected=["fear"])
    assert len(assign.next_items(person, project, 8)) == 3


def test_severe_items_of_another_project_count_as_that_project_says(person, project):
    other = make_project("other", severe_categories=["body"], severe_in_row=9)
    Membership.objects.create(project=other, user=person, role=Role.ANNOTATOR)
    fill(other, 0, 0, 0, hazards=["gore"])
    fill(project, 2, 2, 0, 2)
    assert len(assign.next_items(person, other, 8)) == 3
    answer_all(person)
    assert severities(assign.next_items(person, project, 8)) == [0, 2], "three of four severe ones are used up"


def test_going_to_another_project_begins_no_new_sitting(person, project):
    other = make_project("other", severe_per_session=4, severe_in_row=9)
    Membership.objects.create(project=other, user=person, role=Role.ANNOTATOR)
    fill(project, 2, 2, 0, 2, 2)
    fill(other, 2, 2, 2)
    assert len(assign.next_items(person, project, 8)) == 5
    answer_all(person)
    back(person, minutes=20)
    assert assign.next_items(person, other, 8) == []


def test_severe_gold_items_are_strewn_in_without_a_run_that_is_too_long(person, project, monkeypatch):
    Project.objects.filter(pk=project.pk).update(severe_in_row=1, severe_per_session=None)
    project.refresh_from_db()
    fill(project, 0, 2, 0, 2, 0)
    [known] = make_items(project, 1, lambda: {"severity": 2}, Purpose.GOLD)
    monkeypatch.setattr(gold, "due", lambda *_: [(known, 0)])
    random.seed(1)
    places = set()
    for _ in range(40):
        handed = assign.next_items(person, project, 6)
        shown = "".join("S" if severity == 2 else "m" for severity in severities(handed))
        assert "SS" not in shown
        places.add([one.item_id for one in handed].index(known.pk))
        Assignment.objects.all().delete()
        Item.objects.update(taken=0)
        Membership.objects.update(last_rank=None)
        back(person, minutes=31)
    assert len(places) > 2, "not always at the same place either"


def test_a_person_may_ask_for_less_and_for_none_at_all(person, project):
    own = Preferences.objects.create(user=person, severe_in_row=9, severe_per_session=1)
    fill(project, 2, 2, 0, 2)
    assert severities(assign.next_items(person, project, 8)) == [2, 0]
    assign.give_back(person, project)
    Preferences.objects.filter(pk=own.pk).update(severe_per_session=None, severe_in_row=0)
    assert severities(assign.next_items(person, project, 8)) == [0]


@pytest.mark.django_db(transaction=True)
def test_two_pages_in_two_projects_at_once_do_not_both_take_the_last_severe_item(person, project):
    other = make_project("other", severe_per_session=4, severe_in_row=9)
    Membership.objects.create(project=other, user=person, role=Role.ANNOTATOR)
    Project.objects.filter(pk=project.pk).update(severe_in_row=9)
    for one in (project, other):
        fill(one, 2, 2, 2, 2, 2, 2)

    def work(one):
        handed = assign.next_items(person, Project.objects.get(pk=one.pk), 3)
        connection.close()
        return len(handed)

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, [project, other])) == 4


def test_an_opt_out_follows_a_category_that_was_split_or_renamed(person, project):
    first = project.taxonomy_version
    second = start_next(first, "2")
    shy = second.categories.get(code="shame")
    shy.code = "embarrassment"
    shy.save()
    old = first.categories.get(code="shame")
    CategoryMap.objects.filter(category=old).update(relation="renamed")
    publish(second)
    Project.objects.filter(pk=project.pk).update(taxonomy_version=second)
    project = Project.objects.get(pk=project.pk)
    fill(project, 0, hazards=["embarrassment"])
    OptOut.objects.create(user=person, taxonomy=first.taxonomy, code="shame")
    assert assign.next_items(person, project, 8) == []
    OptOut.objects.update(code="embarrassment")
    Item.objects.update(hazards=["shame"])
    assert assign.next_items(person, project, 8) == [], "items keep the codes that they were imported with"


def test_what_the_jury_comes_to_suspect_is_withheld_from_the_queue_too(person, project):
    items = fill(project, 0, 0, 0)
    OptOut.objects.create(user=person, taxonomy=project.taxonomy_version.taxonomy, code="mind")
    assert len(assign.next_items(person, project, 8)) == 3
    assert note_suspicions({items[1].pk: ["fear", "fear"], items[2].pk: []}) == 1, "only what changed is written"
    assert note_suspicions({items[1].pk: ["fear"]}) == 0
    assert [one.item_id for one in assign.next_items(person, project, 8)] == [items[0].pk, items[2].pk]
    assert Item.objects.get(pk=items[1].pk).taken == 0
    assert note_suspicions({items[1].pk: []}) == 1
    assert len(assign.next_items(person, project, 8)) == 3


def test_a_notice_says_what_was_declared_and_is_stored_with_the_hand_out(person, project):
    fill(project, 0, 1, 2, suspected=["gore"])
    handed = assign.next_items(person, project, 8)
    assert [one.shown for one in handed] == [None, {"notice": "upsetting"}, {"notice": "graphic"}]
    assert [notice_of(one.item) for one in handed] == ["", "upsetting", "graphic"]


def test_weighing_writes_down_what_any_juror_named(cast, add_items):
    items = add_items(cast.project, [{"id": f"i{n}", "prompt": f"text {n}"} for n in range(3)])
    jurors = [Juror.objects.create(slug=f"j{n}", title=f"j{n}", adapter="cues") for n in range(2)]

    def say(item, juror, answers):
        Verdict.objects.create(item=item, juror=juror, prompt_version="1", answers=answers)

    Item.objects.filter(pk=items[0].pk).update(purpose=Purpose.GOLD)
    say(items[0], jurors[0], {"prompt_harm": "unsafe", "hazard_categories": ["violence", "fraud"]})
    say(items[0], jurors[1], {"prompt_harm": "unsafe", "hazard_categories": ["privacy"]})
    say(items[1], jurors[0], {"prompt_harm": "safe"})
    weigh(cast.project)
    found = dict(Item.objects.values_list("external_id", "suspected"))
    assert not Label.objects.filter(item=items[0]).exists(), "a gold item has no label, but people are spared it"
    assert found == {"i0": ["fraud", "privacy", "violence"], "i1": [], "i2": []}
    Juror.objects.filter(slug="j1").update(enabled=False)
    weigh(cast.project)
    assert Item.objects.get(external_id="i0").suspected == ["fraud", "violence"]
