"""`manage.py up`: everything Jurybox needs, on this machine, until Ctrl-C."""

import io
import json
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.embedded import EmbeddedError, broker, database, paths, processes, schema, web
from config.embedded.lease import Server, revive
from config.embedded.postgres import Postgres
from config.embedded.processes import Child
from config.embedded.state import AlreadyRunning, only_one, write_private
from config.embedded.valkey import Valkey

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = "Start the database, the broker, the web server, the worker and the sweeper; Ctrl-C ends them all."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="first port to try (default: 8000)")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("`up` is for your own machine. For production see docs/operate.md.")
        for number in STOP_SIGNALS:
            signal.signal(number, stop_once)
        try:
            self._run(options["port"])
        except KeyboardInterrupt:
            self._say("Everything has ended.")
        except AlreadyRunning as other:
            where = str(other) or "it is just starting"
            raise CommandError(f"Jurybox runs already in this checkout: {where}") from other
        except EmbeddedError as problem:
            raise CommandError(str(problem)) from problem

    def _run(self, port: int) -> None:
        with ExitStack() as stack:
            address_file = stack.enter_context(only_one("up"))
            self._say("Starting the database and the broker")
            stack.enter_context(database())
            stack.enter_context(broker(ends_with_caller=True))
            self._prepare()
            children: list[Child] = []
            stack.callback(processes.end, children)
            stack.callback(self._say, "Stopping")
            door = stack.enter_context(web.listen(port))
            bound = door.getsockname()[1]
            if bound != port:
                self._say(f"Port {port} is taken; using {bound}")
            self._start(children, door.fileno(), bound)
            address = f"http://{web.HOST}:{bound}/"
            address_file.write_text(address)
            self._welcome(address)
            self._watch(children)

    def _prepare(self) -> None:
        """Schema, demo and static files: each only where it is missing or has changed."""
        if not paths.database_is_ours():
            schema.apply()
        elif not schema.is_current():
            self._say("Bringing the database up to date")
            schema.bring_up_to_date()
        if not paths.credentials_path().exists():
            self._say("Loading the demo project")
            call_command("load_demo", verbosity=0, stdout=io.StringIO())
        root = Path(settings.STATIC_ROOT)
        if fingerprint := web.static_files_changed(root):
            self._say("Collecting the static files")
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            write_private(root / "fingerprint.txt", fingerprint)

    def _start(self, children: list[Child], door: int, port: int) -> None:
        """The web server first, so that the first page comes soon; then the others."""
        python = sys.executable
        manage = str(paths.REPOSITORY / "manage.py")
        gunicorn = f"-m gunicorn config.wsgi --bind fd://{door} --preload --no-control-socket"
        threads = "--worker-class gthread --workers 2 --threads 8"
        celery = "-m celery -A config.celery worker --concurrency 2 --loglevel INFO"
        quiet = "--without-gossip --without-mingle --without-heartbeat"
        crew = [
            Child("web", [python, *gunicorn.split(), *threads.split()], keep_open=(door,)),
            # SIGTERM lets Celery finish its tasks, however long; without us nobody could hurry it.
            Child("worker", [python, *celery.split(), *quiet.split()], orphan_signal=signal.SIGQUIT),
            Child("sweeper", [python, manage, "sweep", "--every", "15"]),
        ]
        for child in crew:
            children.append(child)
            child.start()
            if child.name == "web":
                web.wait_until_up(port, child.crash)

    def _welcome(self, address: str) -> None:
        self._say(f"\nJurybox is at {address}\n")
        file = paths.credentials_path()
        for name, password in (json.loads(file.read_text()) if file.exists() else {}).items():
            self._say(f"  {name:<12} {password}")
        if not file.exists():
            self._say(f"  The demo's sign-ins are not in {file}: set one with `manage.py changepassword admin`.")
        self._say(f"\nCtrl-C ends it. Logs: {paths.log_dir()}")

    def _watch(self, children: list[Child]) -> None:
        """Say and mend what crashes, until a signal or too many crashes end it."""
        servers: dict[str, Server] = {}
        if paths.database_is_ours():
            servers["postgres"] = Postgres()
        if paths.broker_is_ours():
            servers["valkey"] = Valkey(ends_with_caller=True)
        while True:
            time.sleep(1)
            for child in children:
                if crashed := child.crash():
                    self.stderr.write(f"{crashed}. Starting it again.")
                    child.restart()
            for name, server in servers.items():
                if not server.answers():
                    self.stderr.write(f"{name} is gone. Starting it again.")
                    revive(name, server)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def stop_once(*_: object) -> None:
    """The first signal stops everything; a second must not leave half of it running."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
