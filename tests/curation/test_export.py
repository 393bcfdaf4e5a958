"""Builds asked for by page: who may, what comes down, and what lost or doubled messages change (nothing)."""

import io
import json
import subprocess
import sys
import threading
import zipfile
from datetime import timedelta

import pytest
from celery import Task
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse

from annotate.models import Item, Membership, Role, User
from curation.errors import ClaimLost
from curation.export import MOST_ATTEMPTS, Heartbeat, ask_for, claim, files_dir, run
from curation.models import Export, Mix, MixVersion
from curation.sweep import sweep
from tests.curation.conftest import ROOT


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def sent(monkeypatch) -> list:
    """The messages that would go to the broker, which is not part of this test."""
    messages: list = []
    monkeypatch.setattr(Task, "apply_async", lambda task, args=(), **more: messages.append((task.name, *args)))
    return messages


@pytest.fixture
def lead(project) -> User:
    person = User.objects.create_user("lead", password="a long enough password")
    Membership.objects.create(project=project, user=person, role=Role.LEAD)
    return person


@pytest.fixture
def signed_in(client_for, lead):
    return client_for(lead)


MIXES = ("mixes", ["mixable"])


def test_a_mix_is_asked_for_built_shown_and_downloaded(rows, signed_in, sent, tmp_path):
    rows.labelled(60)
    address = reverse(*MIXES[:1], args=MIXES[1])
    assert "Build" in signed_in.get(address).content.decode()
    answer = signed_in.post(address, {"name": "first", "recipe": "balance: prompt_harm\n"})
    assert answer.status_code == 302
    export = Export.objects.get()
    assert sent == [("curation.tasks.build", export.pk)]
    fragment = reverse("export", args=["mixable", export.pk])
    assert "every 2s" in signed_in.get(fragment).content.decode()
    download = reverse("export_download", args=["mixable", export.pk])
    assert signed_in.get(download).status_code == 404

    run(export.pk)
    export.refresh_from_db()
    assert (export.state, export.message) == ("done", "")
    shown = signed_in.get(fragment).content.decode()
    assert "every 2s" not in shown
    assert "not_in_cell_quota" in shown
    assert "prompt_harm unsafe" in shown
    assert shown in signed_in.get(address).content.decode()
    answer = signed_in.get(download)
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith("attachment;")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        assert set(packed.namelist()) == {*manifest["files"], "manifest.json"}
        assert packed.testzip() is None
    assert export.version.dataset_digest == manifest["dataset_digest"]
    assert [path.name for path in files_dir().iterdir()] == [export.file_name]


def test_a_recipe_that_can_not_be_read_is_shown_again_with_the_reason(signed_in, sent):
    answer = signed_in.post(reverse(*MIXES[:1], args=MIXES[1]), {"name": "x", "recipe": "seeds: 1"})
    assert "line 1, seeds: no such key" in answer.content.decode()
    assert not Mix.objects.exists()
    assert sent == []


def test_p8_a_refused_build_says_why_on_the_page(rows, project, lead, signed_in):
    items = rows.labelled(5)
    Item.objects.filter(pk=items[0].pk).update(blocked=True)
    export = ask_for(project, "mix", "", lead)
    run(export.pk)
    export.refresh_from_db()
    assert export.state == "failed"
    shown = signed_in.get(reverse("export", args=["mixable", export.pk])).content.decode()
    assert "i00000" in shown
    assert "blocked: exclude" in shown
    assert list(files_dir().iterdir()) == []


def test_p11_strangers_see_404_and_other_roles_403(rows, project, lead, client_for):
    export = ask_for(project, "mix", "", lead)
    addresses = [
        reverse("mixes", args=["mixable"]),
        reverse("export", args=["mixable", export.pk]),
        reverse("export_download", args=["mixable", export.pk]),
    ]
    stranger = User.objects.create_user("stranger")
    reviewer = User.objects.create_user("reviewer")
    Membership.objects.create(project=project, user=reviewer, role=Role.REVIEWER)
    for address in addresses:
        assert client_for(stranger).get(address).status_code == 404
        assert client_for(reviewer).get(address).status_code == 403
    assert client_for(stranger).post(addresses[0], {"name": "x"}).status_code == 404
    assert client_for(reviewer).post(addresses[0], {"name": "x"}).status_code == 403
    assert Mix.objects.count() == 1


def test_p11_an_export_of_another_project_is_not_there(rows, project, lead, signed_in):
    from annotate.questions import NewProject, create_project

    other = create_project(NewProject(slug="other", taxonomy="small"))
    export = ask_for(other, "secret", "", lead)
    assert signed_in.get(reverse("export", args=["mixable", export.pk])).status_code == 404
    assert signed_in.get(reverse("export_download", args=["mixable", export.pk])).status_code == 404


def test_doubled_messages_build_once(rows, project, lead):
    rows.labelled(30)
    export = ask_for(project, "mix", "", lead)

    def work() -> None:
        run(export.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run(export.pk)
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("done", 1)
    assert len(list(files_dir().iterdir())) == 1


def test_the_sweeper_wakes_what_waits_or_died_and_gives_up_after_three_deaths(rows, project, lead, sent):
    rows.labelled(30)
    export = ask_for(project, "mix", "", lead)
    for attempt in range(MOST_ATTEMPTS):
        assert sweep() == {"exports woken": 1, "exports given up": 0}
        assert claim(export.pk) is not None, attempt
        assert sweep() == {"exports woken": 0, "exports given up": 0}, "it is running"
        Export.objects.update(leased_until=Now() - timedelta(seconds=1))  # its worker was killed
    assert sweep() == {"exports woken": 0, "exports given up": 1}
    export.refresh_from_db()
    assert export.state == "failed"
    assert "died 3 times" in export.message
    assert len(sent) == MOST_ATTEMPTS


def test_a_worker_that_lost_its_claim_stops_and_changes_nothing(rows, project, lead):
    rows.labelled(30)
    export = ask_for(project, "mix", "", lead)
    slow = claim(export.pk)
    heartbeat = Heartbeat(slow)
    heartbeat("reading", 1, 2)
    Export.objects.update(leased_until=Now() - timedelta(seconds=1))
    fast = claim(export.pk)
    with pytest.raises(ClaimLost):
        heartbeat("writing", 1, 2)
    assert Export.objects.get().phase == "starting"
    Heartbeat(fast)("writing", 1, 2)
    assert Export.objects.get().phase == "writing"


def test_the_same_recipe_on_the_same_state_is_the_same_version(rows, project, lead):
    rows.labelled(30)
    for recipe in ("", "", "seed: 1\n"):
        run(ask_for(project, "mix", recipe, lead).pk)
    assert Mix.objects.count() == 1
    assert MixVersion.objects.count() == 2
    names = Export.objects.order_by("id").values_list("file_name", flat=True)
    first, second, third = ((files_dir() / name).read_bytes() for name in names)
    assert first == second != third


def test_two_builds_at_once_agree_on_the_sides(rows, project, build, sides):
    rows.labelled(300)
    manifests: dict[str, dict] = {}

    def work(name: str, recipe: str) -> None:
        manifests[name] = build(recipe, name)
        connection.close()

    recipes = {"a": "test_share: 0.5\n", "b": "test_share: 0.2\n"}
    threads = [threading.Thread(target=work, args=pair) for pair in recipes.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sides("a") == sides("b")
    assert len(manifests) == 2


def test_the_web_process_does_not_import_polars():
    program = (
        "import django, sys; django.setup(); import curation.urls, curation.sweep, curation.admin;"
        "print(sorted({'polars', 'pandas', 'datasets'} & set(sys.modules)))"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
