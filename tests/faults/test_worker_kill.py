"""A worker killed with SIGKILL in the middle of a run, three times: every (item, juror) has one verdict."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from pytest_django import Settings

from config.embedded import broker
from jury.models import Juror, Panel, Run, Verdict, Work
from jury.plan import start_run
from jury.tasks import wake_workers
from tests.conftest import Cast
from tests.jury.stub import MODEL, Says, Stub, serving

REPOSITORY = Path(__file__).resolve().parents[2]
ITEMS, KILLS, LEASE_SECONDS, PATIENCE_SECONDS = 90, 3, 2, 100
SAFE = json.dumps({"prompt_harm": "safe", "hazard_categories": None})


@pytest.fixture
def slow_stub(settings: Settings) -> Iterator[Stub]:
    with broker(), serving(Stub(script=lambda payload, number: Says(SAFE, delay=0.03))) as stub:
        settings.JURY_ENDPOINTS = {"stub": stub.address}
        yield stub


@contextmanager
def worker(stub: Stub) -> Iterator[Callable[[], None]]:
    """A real Celery worker on the tests' database; yields what kills it, children and all."""
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@:{database['PORT']}/{database['NAME']}?host={database['HOST']}"
    environment = os.environ | {
        "DATABASE_URL": address,
        "CELERY_BROKER_URL": django_settings.CELERY_BROKER_URL,
        "JURY_ENDPOINTS": f"stub={stub.address}",
        "JURY_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency", "2", *quiet],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def kill() -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    try:
        yield kill
    finally:
        if process.poll() is None:
            kill()


def wait_for(reached: Callable[[], bool]) -> None:
    """Sweep as the sweeper does until it is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < until, "the run does not get on"
        call_command("sweep", stdout=StringIO())
        time.sleep(0.25)


@pytest.mark.django_db(transaction=True)
def test_every_item_and_juror_ends_with_one_verdict(cast: Cast, add_items: Any, slow_stub: Stub) -> None:
    add_items(cast.project, [{"id": f"w{n}", "prompt": f"Question {n}"} for n in range(ITEMS)])
    panel = Panel.objects.create(slug="slow", title="Slow")
    for name in ("first", "second"):
        panel.jurors.add(
            Juror.objects.create(
                slug=name,
                title=name,
                adapter="generic_json",
                model=MODEL,
                endpoint="stub",
                params={"concurrency": 2, "seed": len(name)},
            )
        )
    run = start_run(cast.project, panel)
    wake_workers(run)
    for _ in range(KILLS):
        asked = len(slow_stub.requests)
        with worker(slow_stub) as kill:
            wait_for(lambda asked=asked: len(slow_stub.requests) >= asked + 8)
            kill()
        run.refresh_from_db()
        assert run.state == Run.State.RUNNING
    assert Work.objects.filter(state=Work.State.DUE, attempts__gt=0).exists()
    with worker(slow_stub):
        wait_for(lambda: Run.objects.get(pk=run.pk).state == Run.State.DONE)
    every = Verdict.objects.values("item", "juror").annotate(n=Count("id"))
    assert every.count() == Verdict.objects.count() == 2 * ITEMS
    assert not Work.objects.exclude(state__in=(Work.State.DONE, Work.State.PARKED)).exists()
    assert Work.objects.filter(attempts__gt=1).exists()
    parked = Work.objects.filter(state=Work.State.PARKED).count()
    assert Verdict.objects.filter(answers={"prompt_harm": "safe"}).count() == 2 * ITEMS - parked
    # Only what was under way at every kill may have used its three attempts up.
    assert parked <= 2
