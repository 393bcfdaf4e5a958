"""Ask an endpoint juror about many items at once, within the time that their lease leaves."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import aiohttp
from django.conf import settings

from annotate.models import Item
from jury.adapters.call import MAX_ANSWER_BYTES, Server, call_all, server_of, session
from jury.adapters.contract import EndpointAdapter, Reading, Readings, Reply
from jury.brief import Brief
from jury.item_text import text_of
from jury.models import Failure, Juror

# Results must be stored before the lease runs out, so calls end well before.
SHARE_OF_LEASE = 0.7
# How apologies begin; looked for only where no answer could be read.
REFUSAL = re.compile(
    r"\s*(?:i['’]?m (?:very )?sorry|sorry,|i am sorry|i (?:can['’]?t|cannot|won['’]?t|am unable)\b)", re.I
)


def ask(items: Sequence[Item], adapter: EndpointAdapter, juror: Juror, brief: Brief) -> Readings:
    """A reading of each item that there was time for; the others are missing."""
    return asyncio.run(_ask(items, adapter, juror, brief))


async def _ask(items: Sequence[Item], adapter: EndpointAdapter, juror: Juror, brief: Brief) -> Readings:
    server = server_of(juror)
    deadline = asyncio.get_running_loop().time() + settings.JURY_LEASE_SECONDS * SHARE_OF_LEASE
    places = asyncio.Semaphore(server.concurrency)
    readings: Readings = {}

    async def one(item: Item) -> None:
        async with places:
            left = deadline - asyncio.get_running_loop().time()
            if left > 0:
                in_time = replace(server, timeout_seconds=min(server.timeout_seconds, left))
                readings[item.pk] = await read_item(http, in_time, item, adapter, juror, brief)

    async with session() as http:
        await asyncio.gather(*(one(item) for item in items))
    return readings


async def read_item(
    http: aiohttp.ClientSession,
    server: Server,
    item: Item,
    adapter: EndpointAdapter,
    juror: Juror,
    brief: Brief,
) -> Reading:
    """The three parts of the contract in a row, for one item."""
    if not text_of(item, "whole").strip():
        return Reading(failure=Failure.ABSTAINED)
    return reading_of(await call_all(http, server, adapter.build(item, juror, brief)), item, adapter, juror, brief)


def reading_of(
    replies: Sequence[Reply], item: Item, adapter: EndpointAdapter, juror: Juror, brief: Brief
) -> Reading:
    """What the replies come to: the first failure among them, or what the adapter reads. Pure and total."""
    failures = [(_failure(reply), reply.passing) for reply in replies]
    failure, passing = next(((f, p) for f, p in failures if f is not None), (None, False))
    reading = Reading(failure=failure, passing=passing) if failure else adapter.read(replies, item, juror, brief)
    raw = "\n\n".join(reply.text for reply in replies)
    failure = reading.failure
    if failure == Failure.UNPARSEABLE and any(REFUSAL.match(reply.text) for reply in replies):
        failure = Failure.REFUSED
    return Reading(
        answers=reading.answers,
        failure=failure,
        covered=reading.covered,
        probabilities=reading.probabilities,
        raw=storable(raw),
        passing=reading.passing,
        tokens_in=_sum(reply.tokens_in for reply in replies),
        tokens_out=_sum(reply.tokens_out for reply in replies),
        latency_ms=max((reply.latency_ms or 0 for reply in replies), default=None),
    )


def _failure(reply: Reply) -> Failure | None:
    if reply.failure is not None:
        return reply.failure
    if reply.refused:
        return Failure.REFUSED
    return None if reply.finish_reason == "stop" else Failure.TRUNCATED


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def storable(text: str) -> str:
    """Text that PostgreSQL takes: no NUL, no lone surrogates, of bounded length."""
    clean = text.replace("\x00", "\ufffd").encode("utf-8", errors="replace")[:MAX_ANSWER_BYTES]
    return clean.decode("utf-8", errors="ignore")
