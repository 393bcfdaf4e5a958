"""P2: no item gets more than its overlap, nobody gets the same item twice, under any race."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotate.assign import next_item, reopen_expired_leases, skip
from annotate.models import Annotation, Assignment, Item, Membership, Project, Role, User
from annotate.rules import set_overlap
from annotate.submit import Submission, submit


def rows(count):
    return [{"id": f"i{number}", "prompt": f"prompt number {number}"} for number in range(count)]


def answer(user, item):
    return submit(
        user,
        item,
        Submission(uuid4(), {"prompt_harm": "safe"}, taxonomy_version_id=item.project.taxonomy_version_id),
    )


def test_an_open_lease_comes_back_until_it_is_answered(cast, add_items):
    add_items(cast.project, rows(5))
    first = next_item(cast.annotator, cast.project)
    assert next_item(cast.annotator, cast.project).pk == first.pk
    answer(cast.annotator, first.item)
    assert next_item(cast.annotator, cast.project).item_id != first.item_id


def test_p2_everybody_gets_every_item_once_and_then_nothing(cast, add_items):
    add_items(cast.project, rows(7))
    for user in (cast.annotator, cast.second):
        seen = set()
        while (assignment := next_item(user, cast.project)) is not None:
            assert assignment.item_id not in seen
            seen.add(assignment.item_id)
            answer(user, assignment.item)
        assert len(seen) == 7
    assert next_item(cast.reviewer, cast.project) is None, "overlap 2 is reached everywhere"


@pytest.mark.django_db(transaction=True)
def test_p2_race_of_12_annotators_for_300_items_fills_none_above_overlap_3(cast, add_items):
    Project.objects.filter(pk=cast.project.pk).update(overlap=3)
    cast.project.overlap = 3
    add_items(cast.project, rows(300))
    people = [User.objects.create(username=f"racer{number}") for number in range(12)]
    Membership.objects.bulk_create(
        Membership(project=cast.project, user=person, role=Role.ANNOTATOR) for person in people
    )

    def work(person):
        done = 0
        while (assignment := next_item(person, cast.project)) is not None:
            answer(person, assignment.item)
            done += 1
        connection.close()
        return done

    with ThreadPoolExecutor(12) as pool:
        done = list(pool.map(work, people))
    assert sum(done) == 900, "no slot may stay empty either"
    per_item = list(Item.objects.filter(project=cast.project).values_list("taken", "wanted").distinct())
    assert per_item == [(3, 3)]
    assert Assignment.objects.filter(item__project=cast.project).count() == 900


@pytest.mark.django_db(transaction=True)
def test_p2_two_requests_of_one_person_at_once_lease_one_item(cast, add_items):
    add_items(cast.project, rows(20))

    def ask(_):
        assignment = next_item(cast.annotator, cast.project)
        connection.close()
        return assignment.item_id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(12)))) == 1
    assert Assignment.objects.filter(annotator=cast.annotator).count() == 1


@pytest.mark.django_db(transaction=True)
def test_p2_an_admin_without_a_membership_asking_many_times_at_once_leases_one_item(cast, add_items):
    add_items(cast.project, rows(3))

    def ask(_):
        assignment = next_item(cast.admin, cast.project)
        connection.close()
        return assignment.item_id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(12)))) == 1


@pytest.mark.django_db(transaction=True)
def test_p1_reloading_while_an_expired_item_is_submitted_neither_blocks_nor_doubles(cast, add_items):
    [item] = add_items(cast.project, rows(1))

    def reload(_):
        next_item(cast.annotator, cast.project)
        connection.close()

    def send(_):
        answer(cast.annotator, item)
        connection.close()

    for _ in range(10):
        Annotation.objects.all().delete()
        Assignment.objects.all().delete()
        Item.objects.update(taken=0)
        expire(next_item(cast.annotator, cast.project))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda turn: reload(turn) if turn % 2 else send(turn), range(4)))
        assert Assignment.objects.get(annotator=cast.annotator).state == "submitted"
        item.refresh_from_db()
        assert item.taken == 1


def test_p2_the_database_refuses_an_item_above_its_overlap(cast, add_items):
    [item] = add_items(cast.project, rows(1))
    with pytest.raises(IntegrityError, match="item_overlap_kept"), transaction.atomic():
        Item.objects.filter(pk=item.pk).update(taken=3)


def test_p2_the_database_refuses_the_same_item_twice_for_one_person(cast, add_items):
    [item] = add_items(cast.project, rows(1))
    lease = {"item": item, "annotator": cast.annotator, "leased_until": timezone.now()}
    Assignment.objects.create(**lease)
    with pytest.raises(IntegrityError, match="assignment_once"), transaction.atomic():
        Assignment.objects.create(**lease)


def expire(assignment):
    Assignment.objects.filter(pk=assignment.pk).update(leased_until=timezone.now() - timedelta(minutes=1))
    return reopen_expired_leases()


def test_an_expired_lease_frees_its_slot_once(cast, add_items):
    [item] = add_items(cast.project, rows(1))
    assignment = next_item(cast.annotator, cast.project)
    assert expire(assignment) == 1
    assert reopen_expired_leases() == 0
    item.refresh_from_db()
    assert item.taken == 0


def test_an_expired_item_comes_back_to_the_same_person_while_a_slot_is_free(cast, add_items):
    add_items(cast.project, rows(3))
    assignment = next_item(cast.annotator, cast.project)
    expire(assignment)
    assert next_item(cast.annotator, cast.project).item_id == assignment.item_id
    assert Item.objects.get(pk=assignment.item_id).taken == 1


def test_a_skipped_item_goes_to_others_and_not_back(cast, add_items):
    add_items(cast.project, rows(1))
    skip(next_item(cast.annotator, cast.project))
    assert next_item(cast.annotator, cast.project) is None
    assert next_item(cast.second, cast.project) is not None


def test_items_behind_the_cursor_that_opened_again_are_found(cast, add_items):
    add_items(cast.project, rows(4))
    set_overlap(cast.project, 1)
    first = next_item(cast.second, cast.project)
    while (assignment := next_item(cast.annotator, cast.project)) is not None:
        answer(cast.annotator, assignment.item)
    skip(first)
    assert next_item(cast.annotator, cast.project).item_id == first.item_id


def test_references_and_blocked_items_are_never_handed_out(cast, add_items):
    [blocked] = add_items(cast.project, rows(1))
    Item.objects.filter(pk=blocked.pk).update(blocked=True)
    add_items(cast.project, [{"id": "only-an-id"}])
    assert next_item(cast.annotator, cast.project) is None


def test_a_smaller_overlap_never_falls_below_what_is_taken(cast, add_items):
    [item] = add_items(cast.project, rows(1))
    answer(cast.annotator, next_item(cast.annotator, cast.project).item)
    answer(cast.second, next_item(cast.second, cast.project).item)
    set_overlap(cast.project, 1)
    item.refresh_from_db()
    assert (item.taken, item.wanted) == (2, 2)


@pytest.mark.parametrize("how", ["expire", "skip"])
def test_a_lowered_overlap_takes_hold_when_slots_come_back(cast, add_items, how):
    [item] = add_items(cast.project, rows(1))
    leases = [next_item(user, cast.project) for user in (cast.annotator, cast.second)]
    set_overlap(cast.project, 1)
    for lease in leases:
        expire(lease) if how == "expire" else skip(Assignment.objects.get(pk=lease.pk))
    item.refresh_from_db()
    assert (item.taken, item.wanted) == (0, 1)


def test_claiming_costs_a_bounded_number_of_queries(cast, add_items, django_assert_max_num_queries):
    add_items(cast.project, rows(30))
    with django_assert_max_num_queries(19):
        next_item(cast.annotator, cast.project)
