"""A juror's server for tests: real HTTP, shaped like vLLM's, which ignores fields that it doesn't know."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "stub-guard"


@dataclass
class Says:
    """One scripted answer."""

    text: str | None = None
    status: int = 200
    finish_reason: str = "stop"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    drip: float = 0.0


@dataclass
class Stub:
    """`script` gets each request's payload and its number; None answers by the schema, as vLLM does."""

    script: Callable[[dict[str, Any], int], Says | None] = lambda payload, number: None
    obeys_schema: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    address: str = ""

    def answer(self, payload: dict[str, Any]) -> Says:
        with self.lock:
            self.requests.append(payload)
            number = len(self.requests)
        said = self.script(payload, number)
        return said or Says(self._by_schema(payload))

    def _by_schema(self, payload: dict[str, Any]) -> str:
        asked = payload.get("response_format", {}).get("json_schema", {}).get("schema")
        if not asked or not self.obeys_schema:
            return "The capital of France is Paris."
        return json.dumps({name: _first(schema) for name, schema in asked["properties"].items()})


def _first(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _first(schema["anyOf"][-1] if {"enum"} <= schema["anyOf"][-1].keys() else schema["anyOf"][0])
    return []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def do_GET(self) -> None:
        known = {"/v1/models": {"object": "list", "data": [{"id": MODEL, "max_model_len": 4096}]}}
        if self.path in known:
            self._send(200, json.dumps(known[self.path]).encode())
        else:
            self._send(404, b"{}")

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.stub.lock:
            self.stub.in_flight += 1
            self.stub.most_in_flight = max(self.stub.most_in_flight, self.stub.in_flight)
        try:
            says = self.stub.answer(payload)
            time.sleep(says.delay)
            self._send(says.status, says.body if says.body is not None else _completion(says), says)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.stub.lock:
                self.stub.in_flight -= 1

    def _send(self, status: int, body: bytes, says: Says | None = None) -> None:
        self.send_response(status)
        for name, value in (says.headers if says else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for byte in body if says and says.drip else []:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(says.drip if says else 0)
        if not (says and says.drip):
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _completion(says: Says) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": says.text},
        "finish_reason": says.finish_reason,
    }
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    return json.dumps({"object": "chat.completion", "model": MODEL, "choices": [choice], "usage": usage}).encode()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client hangs up in the middle: that is what the tests are for."""


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    """The stub behind a free port, its address ending in /v1."""
    server = Server(("127.0.0.1", 0), type("StubHandler", (Handler,), {"stub": stub}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    stub.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
