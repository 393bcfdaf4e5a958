"""P3: before the own submit nothing of the jury's reaches an annotator, whatever page, order or log it is."""

import logging
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotate.assign import next_items
from annotate.models import Annotation, Assignment, Flag, Item, Label, Membership, Project, Question, Reveal, Role
from annotate.picker import picker_data
from annotate.submit import Submission, submit
from jury.models import Juror, Panel, Run, Verdict
from jury.weigh import weigh
from tests.annotate.test_access import POST_ONLY, PROJECT_PAGES, all_routes
from tests.conftest import Cast

# Strings that nothing but the jury's side of the database holds.
JUROR, TITLE, RAW, ANSWER, CODE, REASON, NOTE, SHOWN = SECRETS = [
    f"zq{name}wx" for name in ("juror", "title", "raw", "answer", "code", "reason", "note", "shown")
]
HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}
# Pages of the account itself: signing in and out would end the sweep.
LEFT_OUT = {"login", "logout"}


@pytest.fixture
def items(cast: Cast, add_items) -> list[Item]:
    return add_items(cast.project, [{"id": f"i{n:02d}", "prompt": f"Question {n}"} for n in range(12)])


def judge(cast: Cast, items: list[Item]) -> None:
    """Everything that a jury and reviewers leave behind: verdicts, labels, votes, decisions, what others saw."""
    juror = Juror.objects.create(slug=JUROR, title=TITLE, adapter="cues", category_map={"S1": [CODE]})
    panel = Panel.objects.create(slug=f"{JUROR}-panel", title=TITLE)
    panel.jurors.add(juror)
    run = Run.objects.create(project=cast.project, panel=panel, state="done", notes=[REASON])
    harm = Question.objects.get(project=cast.project, code="prompt_harm")
    for place, item in enumerate(items):
        answers = {"prompt_harm": ANSWER, "hazard_categories": [CODE]}
        verdict = Verdict.objects.create(
            item=item, juror=juror, prompt_version=RAW, run=run, answers=answers, raw=RAW, flags=[REASON]
        )
        votes = [{"verdict": verdict.pk, "voter": JUROR, "value": ANSWER}]
        state = "settled" if place % 2 else "contested"
        value = ANSWER if place % 2 else None
        common = {"source": "jury", "votes": votes, "rule": REASON, "confidence": 1.0}
        Label.objects.create(item=item, question=harm, state=state, value=value, **common)
        Annotation.objects.create(
            item=item, annotator=cast.reviewer, answers={"prompt_harm": ANSWER}, exposure="adjudication",
            reason="slip", rationale=NOTE, client_id=uuid4(),
        )  # fmt: skip
        shown = {"votes": [{"verdict": verdict.pk, "answers": {"prompt_harm": SHOWN}}]}
        Assignment.objects.create(
            item=item, annotator=cast.lead, state="submitted", leased_until="2020-01-01T00:00Z", shown=shown
        )
        Reveal.objects.create(item=item, person=cast.lead, votes=shown["votes"])
        Flag.objects.create(item=item, raised_by=cast.reviewer, reason="guideline_gap", note=NOTE, category=CODE)
    Item.objects.filter(project=cast.project).update(suspected=[CODE])


def leaks(response) -> list[str]:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    everything = content + repr(list(response.items())).encode() + str(response.cookies).encode()
    return [secret for secret in SECRETS if secret.encode() in everything]


def addresses(item: Item, project: Project) -> list[tuple[str, str]]:
    """Every page that an annotator may open, with the ids that this annotator has."""
    version = project.taxonomy_version_id
    known = {
        "slug": project.slug,
        "item_id": item.pk,
        "number": 1,
        "version_id": version,
        "content_hash": picker_data(version).content_hash,
    }
    found = []
    for name, params in sorted(all_routes().items()):
        of_project = "slug" in params
        if name in LEFT_OUT or (of_project and PROJECT_PAGES.get(name) != Role.ANNOTATOR):
            continue
        if name.startswith(("admin", "auth_", "jury_", "annotate_", "curation_")):
            continue
        found.append((name, reverse(name, kwargs={param: known.get(param, item.pk) for param in params})))
    return found


def sweep(client, pages: list[tuple[str, str]], ask) -> tuple[dict[str, list[str]], set[str]]:
    """Ask for each page as a browser, as htmx and as a script would; what leaked by page, and who answered."""
    found: dict[str, list[str]] = {}
    answered: set[str] = set()
    for name, address in pages:
        for headers in ({}, HTMX, JSON):
            response = ask(client, address, headers)
            found.setdefault(name, []).extend(leaks(response))
            if response.status_code == 200:
                answered.add(name)
    return {name: leaked for name, leaked in found.items() if leaked}, answered


@pytest.mark.parametrize("policy", ["blind", "reveal", "assisted"])
def test_p3_no_page_holds_a_byte_of_the_jurys_before_the_own_submit(cast, items, client_for, caplog, policy):
    # In assisted work the blind share must be as blind as everything is under the other policies.
    Project.objects.update(exposure_policy=policy, blind_share=1.0)
    judge(cast, items)
    client = client_for(cast.annotator)
    caplog.set_level(logging.DEBUG)
    assert client.get(reverse("annotate", args=["guard"])).status_code == 200
    held = Assignment.objects.filter(annotator=cast.annotator).order_by("id").first()
    pages = addresses(held.item, cast.project)
    assert {"project", "annotate", "item_image", "undo", "reopen", "submit", "flag", "skip"} <= dict(pages).keys()

    reading = [page for page in pages if page[0] not in POST_ONLY]
    leaked, read = sweep(client, reading, lambda c, address, headers: c.get(address, headers=headers))
    assert leaked == {}
    assert {"projects", "project", "annotate", "taxonomy", "key_trainer"} <= read
    # What refuses tells nothing either: a submit without answers, an undo without a submit, odd fields.
    empty = lambda c, address, headers: c.post(address, {"client_id": str(uuid4())}, headers=headers)  # noqa: E731
    leaked, posted = sweep(client, [page for page in pages if page[0] in ("queue", "submit")], empty)
    assert leaked == {}
    assert "queue" in posted
    assert Assignment.objects.filter(annotator=cast.annotator, state="leased").count() > 1, "the queue was filled"
    flagged = lambda c, address, headers: c.post(address, {"reason": "other"}, headers=headers)  # noqa: E731
    leaked, given_back = sweep(client, [page for page in pages if page[0] in ("flag", "skip", "spare")], flagged)
    assert leaked == {}
    assert {"flag", "skip", "spare"} <= given_back
    # Whatever else takes a post, the pages that are for reading among it.
    leaked, posted = sweep(client, [page for page in pages if page[0] not in given_back], empty)
    assert leaked == {}
    assert "undo" in posted
    assert not Annotation.objects.filter(annotator=cast.annotator).exists(), "the sweep must stay before a submit"
    logged = " ".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert [secret for secret in SECRETS if secret in logged] == []


def test_p3_the_search_would_find_it(cast, items, client_for):
    """The control: the same bytes are plain to see for a lead, so the sweep above looks for the right ones."""
    judge(cast, items)
    lead = client_for(cast.lead)
    seen = {s for name in ("items", "jury") for s in leaks(lead.get(reverse(name, args=["guard"])))}
    assert {TITLE, ANSWER} <= seen


def order_of(person, project: Project) -> list[str]:
    """The order in which this person would get the items, ten at a time; everything is put back."""
    order = []
    while held := next_items(person, project, 10):
        order += [one.item.external_id for one in held]
        Assignment.objects.filter(annotator=person).update(state="skipped")
    Assignment.objects.filter(annotator=person).delete()
    Item.objects.filter(project=project).update(taken=0)
    Membership.objects.filter(user=person).update(last_rank=None)
    return order


@pytest.mark.parametrize("policy", ["blind", "reveal", "assisted"])
def test_p3_the_order_is_the_same_with_and_without_a_jury(cast, items, policy):
    Project.objects.update(exposure_policy=policy)
    project = Project.objects.get(pk=cast.project.pk)
    before = order_of(cast.annotator, project)
    assert len(before) == len(items)
    judge(cast, items[::2])
    assert order_of(cast.annotator, project) == before
    weigh(project)
    assert order_of(cast.annotator, project) == before


def test_p3_an_annotators_own_submit_opens_nothing_about_other_items(cast, items, client_for):
    Project.objects.update(exposure_policy="reveal")
    judge(cast, items)
    project = Project.objects.get(pk=cast.project.pk)
    done, waiting = next_items(cast.annotator, project, 2)
    done.item.project = project
    version = project.taxonomy_version_id
    submit(cast.annotator, done.item, Submission(uuid4(), {"prompt_harm": "safe"}, taxonomy_version_id=version))
    client = client_for(cast.annotator)
    Reveal.objects.all().delete()
    pages = [page for page in addresses(waiting.item, project) if page[0] not in POST_ONLY]
    for _name, address in pages:
        client.get(address)
    # Whatever these pages showed, it was recorded, and it was about the answered item alone.
    assert set(Reveal.objects.filter(person=cast.annotator).values_list("item", flat=True)) <= {done.item_id}


def test_p3_commands_do_not_log_verdicts(cast, items, capsys, caplog):
    judge(cast, items)
    caplog.set_level(logging.DEBUG)
    call_command("sweep")
    printed = capsys.readouterr()
    said = printed.out + printed.err + caplog.text
    assert [secret for secret in SECRETS if secret in said] == []
