"""A filter is strict about what it takes in, exact about what it finds, and the same wherever it is used."""

import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from annotate import said
from annotate.answers import UNSURE
from annotate.assign import next_items, reopen_expired_leases
from annotate.filters import BadFilter, as_query, check, items_of, read, save
from annotate.models import Annotation, Assignment, Flag, Item, Label, Question, SavedFilter, User
from annotate.questions import add_question
from annotate.submit import Submission, submit
from jury.models import Juror, Verdict
from jury.weigh import weigh


@pytest.fixture
def people(cast):
    return [cast.annotator, cast.second, cast.reviewer]


@pytest.fixture
def say(cast, people):
    """Annotations of an item by one person after the other; each a dictionary of answers, or None for nobody."""

    def store(item, *answers, exposure="blind", revision=1):
        for person, given in zip(people, answers, strict=False):
            if given is not None:
                Annotation.objects.create(
                    item=item,
                    annotator=person,
                    answers=given,
                    exposure=exposure,
                    revision=revision,
                    client_id=uuid.uuid4(),
                    taxonomy_version=cast.project.taxonomy_version,
                )

    return store


@pytest.fixture
def judge(db):
    """Verdicts on an item by one juror after the other."""

    def store(item, *answers, covered=None):
        for number, given in enumerate(answers):
            juror, _ = Juror.objects.get_or_create(slug=f"j{number}", defaults={"adapter": "x", "title": "x"})
            Verdict.objects.create(
                item=item,
                juror=juror,
                prompt_version=uuid.uuid4().hex,
                answers=given,
                failure="" if given is not None else "refused",
                covered_categories=covered,
            )

    return store


def found(project, **conditions):
    rows = items_of(project, check(project, conditions)).order_by("external_id")
    return "".join(rows.values_list("external_id", flat=True))


SAFE, UNSAFE = {"prompt_harm": "safe"}, {"prompt_harm": "unsafe"}


def hazards(*codes):
    return {"prompt_harm": "unsafe", "hazard_categories": list(codes)}


@pytest.fixture
def items(cast, add_items):
    rows = [{"id": letter, "prompt": f"text {letter}", "lang": "en", "source": "house"} for letter in "abcdef"]
    rows[1]["lang"], rows[2]["source"] = "fr", "street"
    rows[3] |= {"response": "an answer"}
    return dict(zip("abcdef", add_items(cast.project, rows), strict=True))


def test_fields_of_items(cast, items):
    Item.objects.filter(external_id__in="ab").update(severity=2)
    Item.objects.filter(external_id="f").update(purpose="gold")
    project = cast.project
    assert found(project) == "abcdef"
    assert found(project, kind=["pair"]) == "d"
    assert found(project, kind=["pair", "prompt"], lang=["fr"]) == "b"
    assert found(project, source=["street"]) == "c"
    assert found(project, severity=[1, 2]) == "ab"
    assert (found(project, purpose="gold"), found(project, purpose="label")) == ("f", "abcde")
    assert (found(project, id=["a", "e", "zz"]), found(project, id_contains="c")) == ("ae", "c")


def test_labels_and_categories_with_those_below(cast, items, say):
    say(items["a"], SAFE, SAFE)
    say(items["b"], hazards("fraud"), hazards("fraud", "privacy"))
    say(items["c"], SAFE, UNSAFE)
    say(items["d"], SAFE)
    weigh(cast.project)
    project = cast.project
    assert found(project, state=["settled"]) == "ab"
    assert found(project, state=["contested", "too_few"]) == "bcd"  # privacy ties on b
    assert found(project, question="hazard_categories", state=["contested"]) == "b"
    assert found(project, question="prompt_harm", value="safe") == "a"
    assert found(project, question="prompt_harm") == "abcd"
    say(items["e"], hazards("fraud"), hazards("fraud"))
    weigh(project)
    assert found(project, category="fraud") == found(project, category="harm") == "e"
    assert found(project, question="hazard_categories", value="fraud") == "e"
    assert found(project, category="violence") == ""
    assert found(project, named="privacy") == "b"
    assert found(project, named="harm") == "be"


def test_unsure_as_a_label_is_a_value_of_its_own(cast, items):
    question = Question.objects.get(project=cast.project, code="hazard_categories")
    Label.objects.create(item=items["a"], question=question, state="settled", value=UNSURE, source="adjudication")
    assert found(cast.project, question="hazard_categories", value=UNSURE) == "a"


def test_numbers_and_texts_are_different_values(cast, items):
    question = add_question(cast.project, {"code": "level", "kind": "choice", "options": [1, "1", "2"]})
    Label.objects.create(item=items["a"], question=question, state="settled", value=1, source="human_vote")
    Label.objects.create(item=items["b"], question=question, state="settled", value="1", source="human_vote")
    for value, expected in ((1, "a"), ("1", "b"), ("2", "")):
        conditions = {"question": "level", "value": value}
        assert found(cast.project, **conditions) == expected
        assert read(cast.project, QueryDict(as_query(conditions))) == conditions


def test_answered_counts_what_was_given_not_what_is_leased(cast, items):
    project = cast.project

    def answer(person, letter):
        version = project.taxonomy_version_id
        submit(person, items[letter], Submission(uuid.uuid4(), SAFE, taxonomy_version_id=version))

    for person in (cast.annotator, cast.second):
        next_items(person, project, 6)
    Item.objects.filter(external_id="d").update(wanted=0, taken=0)
    assert found(project, answered="none") == "abcef"
    answer(cast.annotator, "a"), answer(cast.second, "a"), answer(cast.annotator, "b")
    assert [found(project, answered=state) for state in ("none", "some", "complete")] == ["cef", "b", "a"]


def test_flags_that_are_open(cast, items):
    Flag.objects.create(item=items["a"], reason="broken")
    Flag.objects.create(item=items["b"], reason="other", resolved_at="2026-01-01T00:00Z")
    assert found(cast.project, flagged=True) == found(cast.project, flagged="broken") == "a"
    assert found(cast.project, flagged=False) == "bcdef"
    assert found(cast.project, flagged="other") == ""


def test_people_differ_by_their_newest_blind_answers(cast, items, say):
    say(items["a"], SAFE, UNSAFE)
    say(items["b"], SAFE, UNSAFE)
    say(items["b"], UNSAFE, revision=2)
    say(items["c"], SAFE, SAFE)
    say(items["c"], UNSAFE, exposure="post_reveal", revision=2)
    say(items["c"], UNSAFE, exposure="adjudication")
    say(items["d"], hazards("fraud", "privacy"), hazards("privacy", "fraud"))
    say(items["e"], hazards("fraud"), hazards("privacy"))
    say(items["f"], SAFE, {"prompt_harm": UNSURE})
    assert found(cast.project, disagree="people") == "ae"
    assert found(cast.project, disagree="people", question="prompt_harm") == "a"
    assert found(cast.project, confused=["fraud", "privacy"]) == "e"
    assert found(cast.project, confused=["privacy", "fraud"]) == "e"
    assert found(cast.project, confused=["violence", "fraud"]) == ""


def test_an_answer_that_the_voters_others_rule_out_is_none(cast, items, say):
    """Imports may hold such; weighing leaves them out, too."""
    ruled_out = {"prompt_harm": "safe", "hazard_categories": ["fraud"]}
    say(items["a"], ruled_out, hazards("privacy"))
    say(items["b"], {"hazard_categories": ["fraud"]}, hazards("privacy"))
    assert found(cast.project, confused=["fraud", "privacy"]) == "b"
    assert found(cast.project, named="fraud") == "b"
    assert found(cast.project, disagree="people", question="hazard_categories") == "b"


def test_where_jury_and_people_part(cast, items, say, judge):
    project = cast.project
    say(items["a"], SAFE, SAFE)
    judge(items["a"], UNSAFE, UNSAFE, SAFE)
    say(items["b"], SAFE, UNSAFE)
    judge(items["b"], UNSAFE)
    say(items["c"], SAFE, SAFE, UNSAFE)
    judge(items["c"], SAFE, UNSAFE)
    say(items["d"], SAFE)
    judge(items["d"], UNSAFE)
    judge(items["d"], None)  # a later failure ends what the juror said
    say(items["e"], SAFE)
    judge(items["e"], SAFE)
    assert found(project, disagree="jury") == "a"
    assert found(project, question="prompt_harm", people="safe") == "acde"
    assert found(project, question="prompt_harm", people="safe", jury="safe") == "e"
    assert found(project, question="prompt_harm", people="safe", jury="unsafe") == "a"
    Juror.objects.filter(slug="j0").update(enabled=False)
    assert found(project, disagree="jury") == "c"  # only the other juror, who said unsafe, is left


def test_categories_that_only_one_side_names(cast, items, say, judge):
    project, asked = cast.project, {"question": "hazard_categories"}
    say(items["a"], hazards("fraud"), hazards("fraud"))
    judge(items["a"], hazards("privacy"), hazards("privacy"))
    say(items["b"], hazards("fraud"), hazards("fraud", "privacy"))
    judge(items["b"], hazards("fraud"))
    say(items["c"], hazards("fraud"))
    judge(items["c"], hazards("privacy"), covered=["privacy"])
    assert found(project, disagree="jury", **asked) == "ac"
    assert found(project, people="fraud", **asked) == "a"  # on c the juror could not have named fraud
    assert found(project, jury="privacy", **asked) == "ac"


def test_the_votes_in_sql_are_the_votes_of_the_model(cast, items, say):
    say(items["a"], SAFE, UNSAFE, SAFE)
    say(items["a"], UNSAFE, None, UNSAFE, revision=2)
    say(items["a"], SAFE, exposure="post_reveal", revision=3)
    say(items["b"], SAFE, exposure="imported")
    say(items["b"], UNSAFE, exposure="assisted", revision=2)
    votes = said.said_by_people(cast.project, cast.project.asked_questions)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT item_id, voter, value #>> '{{}}' FROM {votes.text} votes", votes.params)
        rows = sorted(cursor.fetchall())
    model = Annotation.objects.filter(item__project=cast.project).votes()
    assert rows == sorted((vote.item_id, vote.annotator_id, vote.answers["prompt_harm"]) for vote in model)


@pytest.mark.parametrize(
    ("query", "said_of"),
    [
        ("colour=red", "there is no such condition"),
        ("kind=poem", "poem is not one of: text, prompt"),
        ("state=settled&state=odd", "odd is not one of"),
        ("answered=none&answered=some", "more than once"),
        ("value=safe", "needs a question"),
        ("question=prompt_harm&value=maybe", "maybe is not one of: safe, unsafe, unsure"),
        ("question=nothing", "nothing is not one of"),
        ("category=cooking", "cooking is not one of"),
        ("severity=-1", "-1 is not one of: 0, 1, 2"),
        ("confused=fraud", "two different"),
        ("confused=fraud&confused=fraud", "two different"),
        ("flagged=maybe", "maybe is not one of"),
        ("disagree=cat", "cat is not one of: people, jury"),
        ("source=nowhere", "nowhere is not one of"),
        ("lang=e%20n", "language codes"),
        ("id=a%00b", "must be a list"),
        ("question=hazard_categories&people=cooking", "cooking is not one of"),
    ],
)
def test_p12_what_is_not_known_is_refused_with_its_place(cast, items, query, said_of):
    with pytest.raises(BadFilter) as refused:
        read(cast.project, QueryDict(query))
    assert said_of in str(refused.value)
    assert set(refused.value.problems) <= {pair.split("=")[0] for pair in query.split("&")}


@pytest.mark.parametrize(
    "conditions", [{"kind": "pair"}, {"kind": []}, {"severity": ["1"]}, {"flagged": 1}, {1: 2}]
)
def test_p12_json_of_another_shape_is_refused(cast, items, conditions):
    with pytest.raises(BadFilter):
        check(cast.project, conditions)


def test_an_address_says_the_same_as_the_conditions(cast, items):
    conditions = {
        "kind": ["prompt", "pair"], "lang": ["en"], "severity": [0, 2], "purpose": "label",
        "question": "prompt_harm", "value": "unsafe", "state": ["settled"], "category": "harm",
        "confused": ["fraud", "privacy"], "flagged": False, "disagree": "people", "id": ["a", "b"],
    }  # fmt: skip
    assert read(cast.project, QueryDict(as_query(conditions))) == check(cast.project, conditions)
    assert read(cast.project, QueryDict("kind=&state=&id_contains=")) == {}


def test_a_question_that_went_since_finds_nothing(cast, items):
    saved = save(cast.project, "gone", {"question": "prompt_harm", "disagree": "people"}, cast.lead)
    saved.conditions["question"] = "was_there"
    assert list(items_of(cast.project, saved.conditions)) == []
    assert list(items_of(cast.project, {"question": "was_there"})) == []
    assert list(items_of(cast.project, {"question": "was_there", "value": "x"})) == []
    assert list(items_of(cast.project, {"question": "was_there", "people": "x"})) == []
    assert list(items_of(cast.project, {"category": "was_there"})) == []


def test_saving_again_replaces_and_a_bad_name_is_refused(cast, items):
    save(cast.project, "mine", {"kind": ["pair"]}, cast.lead)
    save(cast.project, "mine", {"kind": ["prompt"]}, cast.lead)
    assert [saved.conditions for saved in SavedFilter.objects.all()] == [{"kind": ["prompt"]}]
    for name, conditions in (("two words", {"kind": ["pair"]}), ("", {"kind": ["pair"]}), ("empty", {})):
        with pytest.raises(BadFilter):
            save(cast.project, name, conditions, cast.lead)


def test_the_queue_hands_out_only_what_its_filter_finds_and_keeps_the_overlap(cast, items, people):
    cast.project.queue_filter = save(cast.project, "french", {"id": ["b", "c", "e"]}, cast.lead)
    cast.project.save()
    handed = Counter()
    for person in people:
        for assignment in next_items(person, cast.project, 6):
            handed[assignment.item.external_id] += 1
    assert handed == {"b": 2, "c": 2, "e": 2}
    assert set(Item.objects.exclude(external_id__in="bce").values_list("taken", flat=True)) == {0}
    cast.project.queue_filter = None
    cast.project.save()
    fresh = User.objects.create_user("fresh")
    assert {one.item.external_id for one in next_items(fresh, cast.project, 6)} == set("adf")


def test_a_lease_that_ran_out_comes_back_only_if_the_queues_filter_still_finds_its_item(cast, items):
    [lease] = next_items(cast.annotator, cast.project, 1)
    Assignment.objects.filter(pk=lease.pk).update(leased_until=timezone.now() - timedelta(minutes=1))
    reopen_expired_leases()
    other = Item.objects.exclude(pk=lease.item_id).first()
    cast.project.queue_filter = save(cast.project, "other", {"id": [other.external_id]}, cast.lead)
    assert [one.item_id for one in next_items(cast.annotator, cast.project, 8)] == [other.pk]
    cast.project.queue_filter = None
    assert lease.item_id in [one.item_id for one in next_items(cast.annotator, cast.project, 8)]
