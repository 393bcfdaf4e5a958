from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from annotate.models import Annotation, Exposure, Item, User
from annotate.questions import NewProject, create_project
from jury.bench import sitting
from jury.deliberate import deliberate
from jury.models import Juror, Panel, Run
from tests.conftest import Cast
from tests.jury.stub import MODEL, Stub, serving


@pytest.fixture(autouse=True)
def _fresh_bench() -> Iterator[None]:
    sitting.cache_clear()
    yield
    sitting.cache_clear()


@pytest.fixture
def stub(settings: Settings) -> Iterator[Stub]:
    with serving(Stub()) as running:
        settings.JURY_ENDPOINTS = {"stub": running.address}
        yield running


@pytest.fixture
def endpoint_juror(db: None) -> Callable[..., Juror]:
    def make(adapter: str = "generic_json", **more: Any) -> Juror:
        described = {"slug": "endpoint", "title": "Endpoint", "model": MODEL, "endpoint": "stub"}
        return Juror.objects.create(**(described | {"adapter": adapter} | more))

    return make


@pytest.fixture
def panel_of(db: None) -> Callable[..., Panel]:
    def make(*jurors: Juror) -> Panel:
        panel = Panel.objects.create(slug=f"panel-{uuid4().hex[:8]}", title="Panel")
        panel.jurors.set(jurors)
        return panel

    return make


@pytest.fixture
def said(db: None) -> Callable[..., Annotation]:
    """A person's judgement, made through the model."""

    def say(
        item: Item, person: User, /, exposure: str = Exposure.BLIND, part: str = "", **answers: Any
    ) -> Annotation:
        return Annotation.objects.create(
            item=item, annotator=person, part=part, answers=answers, exposure=exposure, client_id=uuid4()
        )

    return say


@pytest.fixture
def dialogue_cast(cast: Cast) -> Cast:
    project = create_project(NewProject(slug="talk", title="Talk", template="dialogue", taxonomy="small"))
    return Cast(**{**{name: getattr(cast, name) for name in cast.__dataclass_fields__}, "project": project})


def work_off(run: Run) -> Run:
    """Work on a run in this process until it is no longer running."""
    while run.state == Run.State.RUNNING:
        deliberate(run, seconds=5)
        run.refresh_from_db()
    return run
