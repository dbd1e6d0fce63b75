"""What stands before the service: who asks, and no more bytes than a request needs. Before anything is parsed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prime_perps.issuer.config import UserTable
from prime_perps.issuer.refusals import BadKey, InvalidRequest, Refused, TooLarge
from prime_perps.issuer.wire import BODY_LIMIT, KEY_HEADER

GUARDED = "/v1/"
READ_TIMEOUT = 5.0  # seconds in which a request must have arrived


class Gate:
    """Passes requests on; those below /v1/ only with a known API key, whose holder is then `scope["state"]["user"]`."""

    def __init__(self, app: ASGIApp, users: Mapping[str, UserTable]) -> None:
        """`users`: by the SHA-256 of their keys, so that a lookup tells nothing of a key by the time it takes."""
        self._app = app
        self._users = users

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        try:
            scope.setdefault("state", {})["user"] = self._user(scope)
            async with asyncio.timeout(READ_TIMEOUT):
                body = await _read(receive)
        except TimeoutError:
            await refusal(InvalidRequest("the request did not arrive in time"))(scope, receive, send)
            return
        except Refused as refused:
            await refusal(refused)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    def _user(self, scope: Scope) -> UserTable:
        key = Headers(scope=scope).get(KEY_HEADER, "")
        user = self._users.get(hashlib.sha256(key.encode()).hexdigest())
        if user is None:
            raise BadKey(f"the header {KEY_HEADER} has no API key that is known here")
        return user


async def _read(receive: Receive) -> bytes | None:
    """The whole body, None when the caller has gone. Raises TooLarge."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            raise TooLarge(f"a request has at most {BODY_LIMIT} bytes")
        if not message.get("more_body", False):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    first = True

    async def replayed() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replayed


def refusal(refused: Refused) -> JSONResponse:
    """As callers see it."""
    return JSONResponse({"code": refused.code, "message": str(refused)}, refused.status)
