"""JSON-RPC over one kept-alive HTTP connection: what was asked, what was answered, and what is not known.

Retrying is the caller's word, never the transport's: `read` may ask again, `request` asks exactly once, because a lost
answer does not say whether a transaction was taken.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import ssl
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from prime_perps.errors import NodeError

READ_ATTEMPTS = 4
FIRST_PAUSE = 0.1  # seconds before the second attempt; each later one waits three times as long
BUSY_STATUS = frozenset({429, 502, 503, 504})
LIMIT_EXCEEDED = -32005


class Unreachable(NodeError):
    """No answer came: the request may or may not have arrived."""


class Refusal(NodeError):
    """The node answered with a JSON-RPC error. `code`, `message` and `data` are the node's own."""

    def __init__(self, method: str, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class Node:
    """One HTTP connection to one node. Not for several threads at once."""

    def __init__(self, url: str, timeout: float = 20.0) -> None:
        """`timeout` in seconds, for connecting and for each answer. Raises NodeError for a url that is not http(s)."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NodeError(f"not a node url: {_shown(url)} (expected http://host:port)")
        self.url = _shown(url)
        self._timeout = timeout
        self._tls = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json"}
        if parts.username:
            secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(secret).decode()}"
        self._connection: http.client.HTTPConnection | None = None
        self._next_id = 0

    def request(self, method: str, *params: Any, timeout: float | None = None) -> Any:
        """Ask once. Raises Refusal for the node's own error, Unreachable when no answer came."""
        self._next_id += 1
        body = {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}
        answer = self._post(body, timeout)
        if not isinstance(answer, dict):
            raise Unreachable(f"{self.url} did not answer {method} in JSON-RPC")
        return _result(method, answer)

    def read(self, method: str, *params: Any) -> Any:
        """Ask for something that changes nothing, a bounded number of times. Raises like `request`."""
        return self._patiently(lambda: self.request(method, *params))

    def read_many(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Answers to several reads in one round trip, in the order asked; a refused one is its Refusal, not raised."""
        if not calls:
            return []
        body = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
            for index, (method, params) in enumerate(calls)
        ]
        answers = self._patiently(lambda: self._post(body, None))
        if not isinstance(answers, list) or {entry.get("id") for entry in answers} != set(range(len(calls))):
            return [self._read_or_refusal(method, params) for method, params in calls]  # a node without batches
        results: list[Any] = [None] * len(calls)
        for entry in answers:
            try:
                results[entry["id"]] = _result(calls[entry["id"]][0], entry)
            except Refusal as refusal:
                results[entry["id"]] = refusal
        return results

    def close(self) -> None:
        """Drop the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read_or_refusal(self, method: str, params: Sequence[Any]) -> Any:
        try:
            return self.read(method, *params)
        except Refusal as refusal:
            return refusal

    def _patiently(self, ask: Any) -> Any:
        pause = FIRST_PAUSE
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                return ask()
            except NodeError as error:
                passing = isinstance(error, Unreachable) or getattr(error, "code", 0) == LIMIT_EXCEEDED
                if not passing or attempt == READ_ATTEMPTS:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause *= 3
        raise AssertionError("unreachable")

    def _post(self, body: Any, timeout: float | None) -> Any:
        connection = self._connected(timeout or self._timeout)
        try:
            connection.request("POST", self._path, json.dumps(body), self._headers)
            response = connection.getresponse()
            payload = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"no answer from {self.url} ({_why(error)}): is the node running?") from None
        if response.will_close:
            self.close()
        if response.status in BUSY_STATUS:
            raise Unreachable(f"{self.url} is busy (HTTP {response.status})")
        try:
            return json.loads(payload)
        except ValueError:
            raise NodeError(f"{self.url} is not a JSON-RPC node (HTTP {response.status})") from None

    def _connected(self, timeout: float) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._tls:
                context = ssl.create_default_context()
                self._connection = http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=context)
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        elif self._connection.sock is not None:
            self._connection.sock.settimeout(timeout)
        return self._connection


def _result(method: str, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is not None:
        raise Refusal(method, int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
    return answer.get("result")


def _why(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _shown(url: str) -> str:
    """The url as it may be printed: credentials, and the path and query in which providers put API keys, left out."""
    parts = urlsplit(url)
    if not parts.hostname:
        return url
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
