"""The PostgreSQL and the Valkey that Jurybox brings along, for machines where nobody has set up any.

    with database(), broker():
        ...

Where `DATABASE_URL` or `CELERY_BROKER_URL` is set, the same lines start nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from config.embedded import paths
from config.embedded.lease import lease
from config.embedded.postgres import Postgres
from config.embedded.state import EmbeddedError
from config.embedded.valkey import Valkey

__all__ = ["EmbeddedError", "broker", "database"]


@contextmanager
def database() -> Iterator[None]:
    """Keep PostgreSQL running inside the block; the last process to leave stops it.

    Raises:
        EmbeddedError: no PostgreSQL could be found or started; the message says what to do.
    """
    with lease("postgres", Postgres()) if paths.database_is_ours() else nullcontext():
        yield


@contextmanager
def broker(*, ends_with_caller: bool = False) -> Iterator[None]:
    """Keep Valkey running inside the block; the last process to leave stops it.

    `ends_with_caller` also ends it when the process that started it is killed.

    Raises:
        EmbeddedError: Valkey could not be found or started; the message says what to do.
    """
    server = Valkey(ends_with_caller=ends_with_caller)
    with lease("valkey", server) if paths.broker_is_ours() else nullcontext():
        yield
