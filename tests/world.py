"""The demo with something on every page: votes, a jury run, an export, uploads, flags, images. For sweeps.

An export reads by a connection of its own, so the test that furnishes commits: `django_db(transaction=True)`.
"""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management import call_command
from django.urls import reverse

from annotate.models import Flag, Item, ItemImport, Project, User
from annotate.questions import NewProject, create_project
from curation.export import ask_for, run
from tests.annotate.test_access import POST_ONLY, all_routes
from tests.annotate.test_images import PNG

# Pages that are no page of HTML: files, JSON, fragments, and the ones that only send people elsewhere.
NOT_PAGES = {"logout", "healthz", "item_image", "export_download", "taxonomy", "export", "import_progress"}
NOT_PAGES |= {"my_data"}


@dataclass(frozen=True)
class World:
    lead: User
    # What the page is, its address; each holds something.
    pages: list[tuple[str, str]]


def furnish(files: Path) -> World:
    quiet: dict[str, Any] = {"stdout": StringIO(), "stderr": StringIO()}
    call_command("load_taxonomies", **quiet)
    call_command("load_demo", **quiet)
    call_command("run_jury", "demo", "--wait", **quiet)
    demo = Project.objects.get(slug="demo")
    # Staff besides, for the pages that are an admin's.
    User.objects.filter(username="lead").update(is_staff=True)
    lead = User.objects.get(username="lead")
    _images(files, lead)
    create_project(NewProject(slug="empty", title="Empty", template="plain"), lead=lead)
    answered = _answer(demo, lead)
    _flags(demo, lead)
    ItemImport.objects.create(
        project=demo, uploaded_by=lead, what="items", file_name="rows.jsonl", state="refused", rejected=1,
        message="One row is bad.", rejections=[{"line": 3, "field": "prompt", "reason": "is empty"}],
    )  # fmt: skip
    run(ask_for(demo, "Everything", "labels: record", lead).pk)
    return World(lead, _pages(answered))


def _images(files: Path, lead: User) -> None:
    project = create_project(NewProject(slug="images", title="Images", template="prompt-response"), lead=lead)
    (files / "one.png").write_bytes(PNG)
    rows = files / "items.jsonl"
    rows.write_text('{"id": "one", "image": "one.png", "prompt": "What is this?"}\n')
    call_command("import_items", project.slug, str(rows), stdout=StringIO(), stderr=StringIO())


def _answer(project: Project, lead: User) -> Item:
    """One answer of the lead's own, to come back to."""
    from annotate.assign import next_item
    from annotate.submit import Submission, submit

    assignment = next_item(lead, project)
    assert assignment is not None
    answers = {"prompt_harm": "safe"}
    if assignment.item.kind == "pair":
        answers |= {"response_harm": "safe", "response_refusal": "compliance"}
    submit(
        lead,
        assignment.item,
        Submission(
            client_id=uuid4(),
            answers=answers,
            taxonomy_version_id=project.taxonomy_version_id,
            guideline_id=project.guideline.pk if project.guideline else None,
            seconds=3.0,
        ),
    )
    return assignment.item


def _flags(project: Project, lead: User) -> None:
    items = Item.objects.filter(project=project).order_by("-rank")[:2]
    for item, reason in zip(items, ("guideline_gap", "broken"), strict=True):
        Flag.objects.create(item=item, raised_by=lead, reason=reason, note="What of fiction?")


def _pages(answered: Item) -> list[tuple[str, str]]:
    found = []
    for name, params in sorted(all_routes().items()):
        if name in POST_ONLY | NOT_PAGES:
            continue
        known = {"slug": "demo", "item_id": answered.pk}
        if set(params) <= known.keys():
            found.append((name, reverse(name, kwargs={param: known[param] for param in params})))
    for slug in ("demo-dialogues", "images"):
        found.append((f"annotate {slug}", reverse("annotate", kwargs={"slug": slug})))
    for name in ("annotate", "review", "items", "board", "jury", "key_trainer"):
        found.append((f"{name} empty", reverse(name, kwargs={"slug": "empty"})))
    for name in ("agreement", "board"):
        found.append((f"figures of the {name}", reverse(name, kwargs={"slug": "demo"}) + "?figures"))
    found.append(("nothing here", "/projects/nowhere/"))
    return found
