"""P1: no acknowledged annotation is lost or stored twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotate.assign import next_item, reopen_expired_leases
from annotate.errors import BadAnswers, NotAssigned, SlotTaken, StaleForm
from annotate.models import Annotation, Assignment, Item
from annotate.questions import publish_guidelines
from annotate.submit import Submission, flag, last_submitted, newest_annotation, submit


@pytest.fixture
def item(cast, add_items):
    add_items(cast.project, [{"id": "a", "prompt": "one"}])
    return next_item(cast.annotator, cast.project).item


@pytest.fixture
def safe(cast):
    return Submission(uuid4(), {"prompt_harm": "safe"}, taxonomy_version_id=cast.project.taxonomy_version_id)


def test_p1_the_same_submit_sent_twice_is_stored_once(cast, item, safe):
    first = submit(cast.annotator, item, safe)
    assert submit(cast.annotator, item, safe) == first
    assert Annotation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_p1_the_same_submit_four_times_at_once_is_stored_once(cast, item, safe):
    def send(_):
        stored = submit(cast.annotator, item, safe).pk
        connection.close()
        return stored

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(8)))) == 1
    assert Annotation.objects.count() == 1
    assert Item.objects.get(pk=item.pk).taken == 1


def test_p1_a_change_of_mind_is_a_new_revision_and_the_old_one_stays(cast, item, safe):
    submit(cast.annotator, item, safe)
    changed = replace(safe, client_id=uuid4(), answers={"prompt_harm": "unsafe", "hazard_categories": ["fraud"]})
    assert submit(cast.annotator, item, changed).revision == 2
    assert [a.answers["prompt_harm"] for a in Annotation.objects.order_by("revision")] == ["safe", "unsafe"]
    assert [a.revision for a in Annotation.objects.votes()] == [2], "only the newest revision votes"
    assert Item.objects.get(pk=item.pk).taken == 1


def test_p1_the_database_refuses_to_change_an_annotation(cast, item, safe):
    stored = submit(cast.annotator, item, safe)
    with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
        Annotation.objects.filter(pk=stored.pk).update(answers={"prompt_harm": "unsafe"})


def test_an_annotation_knows_its_versions_and_that_it_was_blind(cast, item, safe):
    guideline = publish_guidelines(cast.project, "Read it twice.")
    stored = submit(cast.annotator, item, replace(safe, guideline_id=guideline.pk, seconds=4.5))
    assert stored.taxonomy_version_id == cast.project.taxonomy_version_id
    assert (stored.guideline, stored.exposure, stored.seconds) == (guideline, "blind", 4.5)


def test_an_item_that_was_not_handed_out_is_refused(cast, item, safe):
    with pytest.raises(NotAssigned):
        submit(cast.second, item, safe)
    assert not Annotation.objects.exists()


def test_a_form_from_before_new_guidelines_is_refused_and_nothing_is_stored(cast, item, safe):
    publish_guidelines(cast.project, "New rules.")
    with pytest.raises(StaleForm):
        submit(cast.annotator, item, safe)
    assert not Annotation.objects.exists()


def test_bad_answers_leave_the_lease_open(cast, item, safe):
    with pytest.raises(BadAnswers, match="an answer is needed"):
        submit(cast.annotator, item, replace(safe, answers={}))
    assert Assignment.objects.get(annotator=cast.annotator).state == "leased"


def expire(user):
    Assignment.objects.filter(annotator=user).update(leased_until=timezone.now() - timedelta(minutes=1))
    reopen_expired_leases()


def test_a_late_submit_is_stored_while_a_slot_is_free(cast, item, safe):
    expire(cast.annotator)
    submit(cast.annotator, item, safe)
    assert Item.objects.get(pk=item.pk).taken == 1


def test_p2_a_late_submit_is_refused_when_others_filled_the_item(cast, item, safe):
    expire(cast.annotator)
    for user in (cast.second, cast.reviewer):
        submit(user, next_item(user, cast.project).item, replace(safe, client_id=uuid4()))
    with pytest.raises(SlotTaken):
        submit(cast.annotator, item, safe)
    assert Annotation.objects.count() == 2


def test_flagging_as_never_again_takes_the_item_from_everybody(cast, item):
    flag(cast.annotator, item, "not_again", "")
    assert next_item(cast.second, cast.project) is None


def test_an_annotation_keeps_what_was_beside_the_item(cast, item, safe):
    Item.objects.filter(pk=item.pk).update(severity=2)
    item.refresh_from_db()
    stored = submit(cast.annotator, item, replace(safe, veil="lifted"))
    assert stored.shown == {"notice": "graphic", "veil": "lifted"}


def test_a_repeat_is_stored_beside_the_first_answers(cast, item, safe):
    submit(cast.annotator, item, safe)
    Assignment.objects.create(item=item, annotator=cast.annotator, repeat=1, leased_until=timezone.now())
    again = replace(safe, client_id=uuid4(), answers={"prompt_harm": "unsure"}, repeat=1)
    stored = submit(cast.annotator, item, again)
    assert (stored.repeat, stored.revision) == (1, 1)
    assert newest_annotation(cast.annotator, item).answers == {"prompt_harm": "safe"}
    assert newest_annotation(cast.annotator, item, 1).answers == {"prompt_harm": "unsure"}
    last = last_submitted(cast.annotator, cast.project)
    assert [(claim.repeat, annotation.answers["prompt_harm"]) for claim, annotation in last] == [
        (1, "unsure"),
        (0, "safe"),
    ]


def test_g6_the_last_ten_are_the_newest_answers_of_ten_items_without_withdrawn_ones(cast, add_items, safe):
    add_items(cast.project, [{"id": f"i{n}", "prompt": str(n)} for n in range(12)])
    answered = []
    while (assignment := next_item(cast.annotator, cast.project)) is not None:
        submit(cast.annotator, assignment.item, replace(safe, client_id=uuid4()))
        answered.append(assignment.item.pk)
    submit(cast.annotator, Item.objects.get(pk=answered[0]), replace(safe, client_id=uuid4()))
    Item.objects.filter(pk=answered[-1]).update(blocked=True)
    last = [claim.item_id for claim, _ in last_submitted(cast.annotator, cast.project)]
    assert last == [answered[0], *answered[-2:-11:-1]]


def test_a_flag_with_the_same_client_id_is_stored_once(cast, item):
    client_id = uuid4()
    first = flag(cast.annotator, item, "other", "a note", client_id=client_id)
    assert flag(cast.annotator, item, "other", "a note", client_id=client_id) == first
