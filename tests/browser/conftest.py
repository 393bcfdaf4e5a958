"""Real Chromium against the real server; a run of its own, since playwright's loop breaks other tests."""

import os
import shutil
import time

import pytest
from django.core.signals import request_finished, request_started

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("No Chromium on the PATH: install it, or run make test with BROWSER=skip.")
    quiet = [
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    return browser_type_launch_args | {
        "executable_path": chromium,
        "args": ["--no-sandbox", "--disable-dev-shm-usage", *quiet],
    }


@pytest.fixture
def console(page):
    """What the browser complains of: policy violations, script errors, failed loads."""
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


class Busy:
    """How many requests the live server is answering."""

    def __init__(self):
        self.running = 0
        self.ended = time.monotonic()

    def begin(self, **kwargs):
        self.running += 1

    def end(self, **kwargs):
        self.running -= 1
        self.ended = time.monotonic()

    @property
    def quiet(self):
        return self.running <= 0 and time.monotonic() - self.ended > 0.2


@pytest.fixture
def page(page):
    """The page; at the end it is left first, since pages tell the server so, and the database is wiped next."""
    busy = Busy()
    request_started.connect(busy.begin)
    request_finished.connect(busy.end)
    yield page
    busy.ended = time.monotonic()
    for each in page.context.pages:
        each.unroute_all(behavior="ignoreErrors")
        each.goto("about:blank")
    until = time.monotonic() + 10
    while not busy.quiet and time.monotonic() < until:
        page.wait_for_timeout(20)
    request_started.disconnect(busy.begin)
    request_finished.disconnect(busy.end)
