"""Do the jurors answer, and does their constrained output really take effect?"""

import asyncio
import json
from collections.abc import Iterator

import aiohttp

from jury.adapters import adapter_of
from jury.adapters.call import Server, call, get_json, server_of, session
from jury.adapters.contract import EndpointAdapter, Payload
from jury.errors import BadJuror
from jury.models import Juror

# No model says these unless it is made to: servers ignore fields that they don't know without a word.
ABSURD = ["zq1", "zq2"]
PROBE: Payload = {
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "max_tokens": 32,
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "probe",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"answer": {"enum": ABSURD}},
                "required": ["answer"],
                "additionalProperties": False,
            },
        },
    },
}


def juror_lines() -> Iterator[tuple[str, str, str]]:
    """(juror's slug, `ok`, `warn` or `fail`, what was found) of every juror that is switched on."""
    for juror in Juror.objects.filter(enabled=True).order_by("slug"):
        yield juror.slug, *_examine(juror)


def _examine(juror: Juror) -> tuple[str, str]:
    try:
        adapter = adapter_of(juror)
        if not isinstance(adapter, EndpointAdapter):
            return "ok", adapter.what
        return asyncio.run(_examine_server(server_of(juror), adapter))
    except BadJuror as problem:
        return "fail", str(problem)


async def _examine_server(server: Server, adapter: EndpointAdapter) -> tuple[str, str]:
    async with session() as http:
        try:
            served = await get_json(http, server, "/models")
        except (aiohttp.ClientError, TimeoutError) as problem:
            return "fail", f"the server can't be reached ({type(problem).__name__})"
        names = [entry.get("id") for entry in served["data"]] if _is_listing(served) else []
        if server.model not in names:
            return "fail", f"the server does not serve {server.model!r}"
        if not adapter.constrained:
            return "ok", f"serves {server.model}"
        return await _probe(http, server)


def _is_listing(served: object) -> bool:
    return (
        isinstance(served, dict)
        and isinstance(served.get("data"), list)
        and all(isinstance(entry, dict) for entry in served["data"])
    )


async def _probe(http: aiohttp.ClientSession, server: Server) -> tuple[str, str]:
    reply = await call(http, server, PROBE)
    if reply.failure is not None:
        return "fail", f"serves {server.model}, but a request failed: {reply.failure}"
    try:
        obeyed = json.loads(reply.text)["answer"] in ABSURD
    except (ValueError, TypeError, KeyError):
        obeyed = False
    if obeyed:
        return "ok", f"serves {server.model}; JSON schema takes effect"
    return "warn", f"serves {server.model}, but ignores JSON schemas: many verdicts will be unparseable"
