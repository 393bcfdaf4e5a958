"""The cast: one project with an annotator, a second one, a reviewer, a lead; an admin; and a stranger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotate.models import Item, Membership, Project, Role, TaxonomyVersion, User
from annotate.questions import NewProject, create_project

SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the published sets in ../shared/data")
    return SHARED_DATA


@pytest.fixture
def taxonomy(db: None) -> TaxonomyVersion:
    """A small published taxonomy of its own: three hazards in a group."""
    from annotate.taxonomy import Draft, publish, write_draft

    categories = [
        {"code": "harm", "name": "Harm", "kind": "group", "parents": [], "tier": 1},
        {
            "code": "violence",
            "name": "Violence",
            "parents": ["harm"],
            "tier": 2,
            "definition": "Hurting people.",
        },
        {
            "code": "fraud",
            "name": "Fraud",
            "parents": ["harm"],
            "tier": 2,
            "definition": "Deceiving for money.",
        },
        {
            "code": "privacy",
            "name": "Privacy",
            "parents": ["harm"],
            "tier": 2,
            "definition": "Exposing people.",
        },
    ]
    version = write_draft(Draft(code="small", title="Small", version="1", categories=categories))
    return publish(version)


@dataclass(frozen=True)
class Cast:
    """One project and the people around it."""

    project: Project
    annotator: User
    second: User
    reviewer: User
    lead: User
    admin: User
    stranger: User


@pytest.fixture
def cast(taxonomy: TaxonomyVersion) -> Cast:
    project = create_project(NewProject(slug="guard", title="Guard", taxonomy="small", overlap=2))

    def person(name: str, role: Role | None = None, **more: Any) -> User:
        user = User.objects.create_user(name, password="a long enough password", **more)
        if role is not None:
            Membership.objects.create(project=project, user=user, role=role)
        return user

    return Cast(
        project=project,
        annotator=person("annotator", Role.ANNOTATOR),
        second=person("second", Role.ANNOTATOR),
        reviewer=person("reviewer", Role.REVIEWER),
        lead=person("lead", Role.LEAD),
        admin=person("admin", is_staff=True, is_superuser=True),
        stranger=person("stranger"),
    )


@pytest.fixture
def add_items() -> Callable[..., list[Item]]:
    """Import rows (dictionaries in the import format) into a project; returns the items in order."""
    from annotate.import_items import import_rows

    def add(project: Project, rows: Sequence[dict[str, Any]]) -> list[Item]:
        import_rows(project, rows)
        found = {item.external_id: item for item in Item.objects.filter(project=project)}
        return [found[row["id"]] for row in rows]

    return add


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
