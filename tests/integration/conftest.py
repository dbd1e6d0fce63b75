"""A real anvil for the tests of programs, and a real proxy in front of it that loses what it is told to lose."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from prime_perps.chain.anvil import Anvil


class LossyProxy:
    """Passes JSON-RPC to a node. `lose_request` and `lose_answer` name the method whose next request is lost."""

    def __init__(self, port: int) -> None:
        self.lose_request: list[str] = []
        self.lose_answer: list[str] = []
        self.unknown_methods: set[str] = set()
        self.batches = True
        self.seen: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(raw)
                methods = [entry["method"] for entry in body] if isinstance(body, list) else [body["method"]]
                proxy.seen += methods
                if proxy._take(proxy.lose_request, methods):
                    self.close_connection = True
                    return None
                if isinstance(body, list) and not proxy.batches:
                    return self._answer({"error": {"code": -32600, "message": "batches are not supported"}, "id": None})
                if not isinstance(body, list) and body["method"] in proxy.unknown_methods:
                    return self._answer({"error": {"code": -32601, "message": "Method not found"}, "id": body["id"]})
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("POST", "/", raw, {"Content-Type": "application/json"})
                answer = json.loads(connection.getresponse().read())
                connection.close()
                if proxy._take(proxy.lose_answer, methods):
                    self.close_connection = True
                    return None
                return self._answer(answer)

            def _answer(self, answer: Any) -> None:
                payload = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @staticmethod
    def _take(planned: list[str], methods: list[str]) -> bool:
        for method in methods:
            if method in planned:
                planned.remove(method)
                return True
        return False

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil() as running:
        yield running


@pytest.fixture
def proxy(node: Anvil) -> Iterator[LossyProxy]:
    assert node.port is not None
    running = LossyProxy(node.port)
    yield running
    running.stop()
