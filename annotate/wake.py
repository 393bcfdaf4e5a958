"""Wake a Celery worker up. The message holds no work: losing it costs a sweep's time, nothing else."""

import logging
from functools import partial

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def wake(task: Task, *args: int | str) -> None:
    """Send the task after the running transaction commits; if the broker is down the sweeper sends it later."""
    transaction.on_commit(partial(_send, task, args))


def _send(task: Task, args: tuple[int | str, ...]) -> None:
    try:
        task.apply_async(args, retry=False)
    except OperationalError as error:
        log.warning("The broker did not take %s (%s); the sweeper will.", task.name, type(error).__name__)
