"""The demo: two small projects written for Jurybox, with four people to sign in as."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from annotate.import_annotations import import_annotations
from annotate.import_items import import_items
from annotate.models import Membership, Project, Role, User
from annotate.questions import NewProject, add_question, create_project, publish_guidelines

FILES = Path(__file__).resolve().parent / "demo"
ROLES = {"annotator": Role.ANNOTATOR, "reviewer": Role.REVIEWER, "lead": Role.LEAD}


@dataclass(frozen=True, slots=True)
class DemoProject:
    slug: str
    title: str
    template: str
    items: str
    annotations: str
    questions: tuple[dict[str, Any], ...] = ()


UNSAFE = [{"question": code, "is": "unsafe"} for code in ("prompt_harm", "response_harm")]
EVIDENCE = {
    "code": "evidence",
    "text": "Which words show it?",
    "kind": "spans",
    "required": False,
    "condition": UNSAFE,
}
PROJECTS = (
    DemoProject(
        "demo", "Demo: prompts and responses", "prompt-response", "items.jsonl", "annotations.jsonl", (EVIDENCE,)
    ),
    DemoProject("demo-dialogues", "Demo: dialogues", "dialogue", "dialogues.jsonl", "dialogue_annotations.jsonl"),
)


@transaction.atomic
def load_demo() -> dict[str, str]:
    """Make the demo's projects and people; the shipped taxonomies must be loaded.

    Returns:
        User names and their new random passwords; empty if the demo is there already.
    """
    if Project.objects.filter(slug=PROJECTS[0].slug).exists():
        return {}
    passwords = {name: secrets.token_urlsafe(9) for name in (*ROLES, "admin")}
    people = {name: User.objects.create_user(name, password=passwords[name]) for name in ROLES}
    User.objects.create_superuser("admin", password=passwords["admin"])
    guidelines = (FILES / "guidelines.md").read_text(encoding="utf-8")
    for described in PROJECTS:
        project = create_project(
            NewProject(slug=described.slug, title=described.title, template=described.template)
        )
        Membership.objects.bulk_create(
            Membership(project=project, user=people[name], role=role) for name, role in ROLES.items()
        )
        for question in described.questions:
            add_question(project, question)
        publish_guidelines(project, guidelines)
        import_items(project, FILES / described.items)
        import_annotations(project, FILES / described.annotations)
    return passwords


def cues_path() -> Path:
    """The demo's cue list: {category code: [terms]}."""
    return FILES / "cues.json"
