"""Submits and queue refills through the real web server, with 1, 8 and 32 annotators, on 10,000 and 100,000 items.

    .venv/bin/python -m benchmarks.next_item [--items 100000] [--rounds 3] [--seconds 14] [--think 1.0]

Each annotator does what the page does: submit, and fill the queue up when five items are left. They answer an
item a second, faster than people read; --think 0 asks without a pause and so measures saturation. Server
time is gunicorn's own measure of each request; the clients share the machine with it. The last line compares
the 95th percentile of 8 annotators at the full size with the one at a tenth of it, medians of the rounds.
"""

import argparse
import asyncio
import itertools
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.own_database import own_database

ROOT = Path(__file__).resolve().parent.parent
CROWDS = (1, 8, 32)
LATENCY = re.compile(r"^POST (\d+)$", re.MULTILINE)
# As the page does: the queue is filled up when so many items are left.
LOW = 5


def fill(items: int) -> list[str]:
    """A project with this many prompts and 32 annotators; returns their session keys."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from annotate.import_items import import_rows
    from annotate.models import Membership, Project, Role, User
    from annotate.questions import NewProject, create_project

    slug = f"queue-{items}"
    project = create_project(NewProject(slug=slug, template="prompt-response", overlap=3))
    import_rows(project, [{"id": f"i{n}", "prompt": f"Prompt number {n} of a long queue"} for n in range(items)])
    keys = []
    for number in range(max(CROWDS)):
        user, _ = User.objects.get_or_create(username=f"annotator{number}", defaults={"password": "!"})
        Membership.objects.create(project=Project.objects.get(slug=slug), user=user, role=Role.ANNOTATOR)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        keys.append(session.session_key)
    return keys


async def annotate(base: str, slug: str, key: str, asked: argparse.Namespace) -> None:
    """One annotator: take an item, then submit and get the next, until the time is up."""
    import aiohttp

    # By default aiohttp keeps no cookies of a bare IP address.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(base, cookies={"sessionid": key}, cookie_jar=jar) as browser:
        async with browser.get("/") as response:
            await response.read()
        token = next(c.value for c in browser.cookie_jar if c.key == "csrftoken")
        headers = {"Accept": "application/json", "X-CSRFToken": token}

        async def post(path: str, **fields: object) -> dict[str, Any]:
            async with browser.post(f"/projects/{slug}/annotate/{path}", data=fields, headers=headers) as response:
                if response.status != 200:
                    raise RuntimeError(f"the server answered {response.status}")
                return await response.json()

        waiting: dict[int, dict[str, Any]] = {}
        answered: set[int] = set()
        await asyncio.sleep(random.uniform(0, asked.think))
        until = time.perf_counter() + asked.seconds
        while time.perf_counter() < until:
            if len(waiting) <= LOW:
                given = await post("queue/")
                rules = {name: given[name] or "" for name in ("taxonomy_version", "guideline")}
                waiting |= {item["id"]: item for item in given["items"] if item["id"] not in answered}
            item = waiting.pop(next(iter(waiting)))
            answered.add(item["id"])
            sent = rules | {"client_id": str(uuid4()), "answer_prompt_harm": '"safe"', "seconds": "1"}
            await post(f"{item['id']}/submit/", repeat=item["repeat"], **sent)
            await asyncio.sleep(asked.think)


async def crowd(base: str, slug: str, keys: list[str], asked: argparse.Namespace) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(annotate(base, slug, key, asked) for key in keys))
    return time.perf_counter() - started


def measure(base: str, log: Path, slug: str, keys: list[str], asked: argparse.Namespace) -> dict[str, float]:
    """Server times in ms over all submits and refills of this crowd."""
    before = log.stat().st_size
    wall = asyncio.run(crowd(base, slug, keys, asked))
    time.sleep(0.5)
    with open(log, encoding="utf-8") as lines:
        lines.seek(before)
        times = [int(found) / 1000 for found in LATENCY.findall(lines.read())]
    cuts = statistics.quantiles(times, n=20)
    return {
        "n": len(times),
        "p50": statistics.median(times),
        "p95": cuts[-1],
        "per_second": len(times) / wall,
    }


def serve(log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """gunicorn as `make run` starts it, with an access log of nothing but method and microseconds."""
    port = "18473"
    command = f"-m gunicorn config.wsgi --bind 127.0.0.1:{port} --worker-class gthread --workers 2 --threads 8"
    options = ["--no-control-socket", "--access-logfile", str(log), "--access-logformat", "%(m)s %(D)s"]
    server = subprocess.Popen([sys.executable, *command.split(), *options], cwd=ROOT, stderr=subprocess.DEVNULL)
    time.sleep(4)
    return server, f"http://127.0.0.1:{port}"


def run(asked: argparse.Namespace, folder: Path) -> None:
    """Measure and print; needs the database of `own_database`. Sizes take turns, so that drift hits both."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("collectstatic", verbosity=0, interactive=False)
    sizes = (asked.items // 10, asked.items)
    keys = {size: fill(size) for size in sizes}
    log = folder / "access.log"
    log.touch()
    server, base = serve(log)
    rounds = defaultdict(list)
    try:
        for people, _, size in itertools.product(CROWDS, range(asked.rounds), sizes):
            rounds[people, size].append(measure(base, log, f"queue-{size}", keys[size][:people], asked))
    finally:
        server.terminate()
        server.wait()
    show(rounds, asked)


def show(rounds: dict[tuple[int, int], list[dict[str, float]]], asked: argparse.Namespace) -> None:
    """A line for each crowd and size, with medians over the rounds, then the summary."""
    middle = {
        place: {name: statistics.median(one[name] for one in found) for name in found[0]}
        for place, found in rounds.items()
    }
    for (people, size), found in middle.items():
        print(
            f"{people:>2} annotators, {size:>7} items: p50 {found['p50']:.1f} ms, p95 {found['p95']:.1f} ms "
            f"server time, {found['per_second']:.0f} requests/s"
        )
    ours, anchor = middle[8, asked.items]["p95"], middle[8, asked.items // 10]["p95"]
    n = int(sum(one["n"] for found in rounds.values() for one in found))
    summary = {"name": "next_item_p95_ms_8_annotators", "n": n, "ours": round(ours, 1)}
    print(json.dumps(summary | {"anchor": round(anchor, 1), "ratio": round(ours / anchor, 2)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=14)
    parser.add_argument("--think", type=float, default=1.0)
    with own_database() as folder:
        run(parser.parse_args(), folder)


if __name__ == "__main__":
    main()
