"""The one place that speaks to jurors' servers: OpenAI-compatible chat completions over HTTP.

Addresses come from the settings alone. Nothing that an item or a server wrote gets into an error or a log.
"""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from django.conf import settings

from jury.adapters.contract import Payload, Reply
from jury.errors import BadJuror
from jury.models import Failure, Juror

MAX_ANSWER_BYTES = 64 * 1024
TRIES = 3
FIRST_PAUSE_SECONDS = 0.5
WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a juror is asked, and how."""

    address: str
    api_key: str
    model: str
    seed: int
    concurrency: int
    timeout_seconds: float

    def headers(self) -> dict[str, str]:
        """The key, where there is one."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}


def server_of(juror: Juror) -> Server:
    """The juror's server.

    Raises:
        BadJuror: its endpoint is not in the settings, or it names no model.
    """
    address = settings.JURY_ENDPOINTS.get(juror.endpoint)
    if address is None:
        raise BadJuror(f"{juror.slug}: no endpoint {juror.endpoint!r}; name its address in JURY_ENDPOINTS.")
    if not juror.model:
        raise BadJuror(f"{juror.slug}: give the name of the model that {juror.endpoint!r} serves.")
    return Server(
        address=address.rstrip("/"),
        api_key=settings.JURY_API_KEYS.get(juror.endpoint, ""),
        model=juror.model,
        seed=juror.params.get("seed", 0),
        concurrency=max(1, juror.params.get("concurrency", 16)),
        timeout_seconds=juror.params.get("timeout_seconds", 30),
    )


def session() -> aiohttp.ClientSession:
    """A session without a limit on connections: how many are in flight is the caller's business."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def call(http: aiohttp.ClientSession, server: Server, payload: Payload) -> Reply:
    """Ask once, with a few tries at what may pass; everything within one total deadline.

    Transport errors, 408, 429 and 5xx are tried again after a pause (full jitter, or what Retry-After says);
    any other status is final.
    """
    body = {"model": server.model, "temperature": 0, "seed": server.seed} | payload
    reply = Reply(failure=Failure.ERROR, passing=True)
    began = time.monotonic()
    try:
        async with asyncio.timeout(server.timeout_seconds):
            for attempt in range(TRIES):
                reply, pause = await _try(http, server, body)
                if not reply.passing or attempt == TRIES - 1:
                    break
                left = server.timeout_seconds - (time.monotonic() - began)
                jitter = random.uniform(0, FIRST_PAUSE_SECONDS * 2**attempt)
                if (pause or jitter) > left:
                    break
                await asyncio.sleep(pause or jitter)
    except TimeoutError:
        return Reply(failure=Failure.TIMEOUT, passing=True)
    return reply


async def _try(http: aiohttp.ClientSession, server: Server, body: Payload) -> tuple[Reply, float]:
    """One request: the reply, and the seconds that the server asks to wait."""
    began = time.perf_counter()
    failed = Reply(failure=Failure.ERROR, passing=True)
    try:
        async with http.post(
            f"{server.address}/chat/completions", json=body, headers=server.headers(), allow_redirects=False
        ) as response:
            if response.status in WORTH_ANOTHER_TRY:
                return failed, _retry_after(response.headers.get("Retry-After", ""))
            raw = await _limited(response)
            latency_ms = (time.perf_counter() - began) * 1000
            if response.status != 200:
                return _refusal_of_request(response.status, raw), 0
    except aiohttp.ClientError:
        return failed, 0
    return _reply(raw, latency_ms), 0


async def _limited(response: aiohttp.ClientResponse) -> bytes | None:
    """The body; None where it is longer than any answer may be."""
    body = b""
    async for chunk in response.content.iter_chunked(8192):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return None
    return body


def _retry_after(header: str) -> float:
    """Seconds to wait (RFC 9110, 10.2.3: a number, or a date); 0 where the header says nothing readable."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0


def _refusal_of_request(status: int, raw: bytes | None) -> Reply:
    error = _dict(_json(raw)).get("error")
    described = error if isinstance(error, dict) else {}
    # vLLM names the parameter, OpenAI the code; nobody's prose is looked at.
    too_long = described.get("param") == "input_tokens" or described.get("code") == "context_length_exceeded"
    return Reply(failure=Failure.TOO_LONG if status in (400, 413) and too_long else Failure.ERROR)


def _reply(raw: bytes | None, latency_ms: float) -> Reply:
    """A completion as a reply; whatever isn't one is unparseable."""
    parsed = _dict(_json(raw))
    choices = parsed.get("choices")
    choice = _dict(choices[0]) if isinstance(choices, list) and choices else {}
    message = _dict(choice.get("message"))
    text, finish_reason = message.get("content"), choice.get("finish_reason")
    refused = bool(message.get("refusal")) or finish_reason == "content_filter"
    if not refused and not isinstance(text, str):
        return Reply(failure=Failure.UNPARSEABLE, latency_ms=latency_ms)
    usage = _dict(parsed.get("usage"))
    return Reply(
        text=text if isinstance(text, str) else "",
        finish_reason=str(finish_reason),
        refused=refused,
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
        latency_ms=latency_ms,
    )


def _json(raw: bytes | None) -> Any:
    try:
        return json.loads(raw or b"")
    except (ValueError, RecursionError):
        return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


async def get_json(http: aiohttp.ClientSession, server: Server, path: str) -> Any:
    """A GET of the server's, as JSON; None where it isn't one.

    Raises:
        aiohttp.ClientError, TimeoutError: it can't be reached in ten seconds.
    """
    limit = aiohttp.ClientTimeout(total=10)
    async with http.get(
        f"{server.address}{path}", headers=server.headers(), allow_redirects=False, timeout=limit
    ) as response:
        return _json(await _limited(response)) if response.status == 200 else None


async def call_all(http: aiohttp.ClientSession, server: Server, payloads: Sequence[Payload]) -> list[Reply]:
    """All requests of one item, side by side."""
    return list(await asyncio.gather(*(call(http, server, payload) for payload in payloads)))
