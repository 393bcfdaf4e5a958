"""The jury page: for leads only, live while a run goes, silent to everybody else."""

from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from jury.models import Run, Verdict
from tests.conftest import Cast
from tests.jury.conftest import work_off

URL = "/projects/guard/jury/"


@pytest.fixture(autouse=True)
def _items(cast: Cast, add_items: Any, settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.SECURE_SSL_REDIRECT = False
    add_items(cast.project, [{"id": f"i{n}", "prompt": f"Item {n}"} for n in range(3)])


def test_a_lead_starts_a_run_and_sees_it_end(cast: Cast, client_for: Any, said: Any) -> None:
    client = client_for(cast.lead)
    assert "has not judged this project yet" in client.get(URL).content.decode()
    response = client.post(reverse("run_jury", args=["guard"]), {"panel": "local"})
    assert (response.status_code, response["Location"]) == (302, URL)
    run = Run.objects.get()
    assert run.started_by == cast.lead
    page = client.get(URL).content.decode()
    assert "every 2s" in page
    assert "Verdicts: 0 of 3" in page
    fragment = client.get(URL, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    assert "HX-Refresh" not in fragment
    work_off(run)
    item = cast.project.items.first()
    said(item, cast.annotator, prompt_harm="safe")
    Verdict.objects.filter(item=item).update(answers={"prompt_harm": "unsafe"}, failure="")
    assert client.get(URL, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    page = client.get(URL).content.decode()
    assert "every 2s" not in page
    assert "baseline: nearest category" in page
    assert "pairs: 1" in page


def test_a_run_is_stopped_and_resumed(cast: Cast, client_for: Any) -> None:
    client = client_for(cast.lead)
    client.post(reverse("run_jury", args=["guard"]), {"panel": "local"})
    run = Run.objects.get()
    client.post(reverse("stop_run", args=["guard", run.pk]))
    run.refresh_from_db()
    assert run.state == Run.State.STOPPED
    assert "Go on" in client.get(URL).content.decode()
    client.post(reverse("resume_run", args=["guard", run.pk]))
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


def test_a_second_run_at_once_is_refused_in_words(cast: Cast, client_for: Any) -> None:
    client = client_for(cast.lead)
    for _ in range(2):
        client.post(reverse("run_jury", args=["guard"]), {"panel": "local"})
    assert Run.objects.count() == 1
    assert "has a run under way" in client.get(URL).content.decode()


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 403), ("stranger", 404)])
def test_others_see_and_start_nothing(cast: Cast, client_for: Any, who: str, status: int) -> None:
    client_for(cast.lead).post(reverse("run_jury", args=["guard"]), {"panel": "local"})
    run = Run.objects.get()
    client = client_for(getattr(cast, who))
    assert client.get(URL).status_code == status
    assert client.get(URL, headers={"HX-Request": "true"}).status_code == status
    for name, arguments in (("run_jury", []), ("stop_run", [run.pk]), ("resume_run", [run.pk])):
        assert client.post(reverse(name, args=["guard", *arguments])).status_code == status
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


def test_a_run_of_another_project_is_not_found(cast: Cast, dialogue_cast: Cast, client_for: Any) -> None:
    run = Run.objects.create(project=dialogue_cast.project, panel=_panel())
    client = client_for(cast.lead)
    assert client.post(reverse("stop_run", args=["guard", run.pk])).status_code == 404


def _panel() -> Any:
    from jury.defaults import local_panel

    return local_panel()


def test_a_wrong_method_or_panel_is_refused(cast: Cast, client_for: Any) -> None:
    client = client_for(cast.lead)
    assert client.get(reverse("run_jury", args=["guard"])).status_code == 405
    assert client.post(reverse("run_jury", args=["guard"]), {"panel": "nobody"}).status_code == 404


def test_the_page_takes_a_bounded_number_of_queries(
    cast: Cast, client_for: Any, add_items: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_for(cast.lead)
    client.get(URL)
    with django_assert_max_num_queries(24):
        client.get(URL)
