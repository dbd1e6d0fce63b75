"""The broker over HTTP. `/docs` shows it to people, `/openapi.json` to programs."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Header, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from starlette.exceptions import HTTPException

from prime_perps.issuer.broker import Broker, users_by_key
from prime_perps.issuer.config import BrokerConfig, UserTable
from prime_perps.issuer.gate import Gate, refusal
from prime_perps.issuer.metrics import Metrics
from prime_perps.issuer.refusals import InvalidRequest, Refused
from prime_perps.issuer.wire import (
    IDEMPOTENCY_HEADER,
    KEY_HEADER,
    Ask,
    AttestationAnswer,
    ErrorAnswer,
    SoftAnswer,
    StatusAnswer,
)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_HEADER,
        min_length=1,
        max_length=128,
        pattern=r"\A[\x21-\x7e]+\z",
        description="The same key with the same request is given the same answer, once for all.",
    ),
]
# The gate checks the key; here it is only written down for those who read the API.
SECURITY = Security(APIKeyHeader(name=KEY_HEADER, auto_error=False))
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "INVALID_REQUEST, BELOW_MINIMUM"},
    401: {"model": ErrorAnswer, "description": "INVALID_API_KEY"},
    403: {
        "model": ErrorAnswer,
        "description": "MARKET_CLOSED, MARKET_PAUSED, ASSET_PAUSED, ASSET_LIMITED, MAX_LIMIT_REACHED",
    },
    404: {"model": ErrorAnswer, "description": "UNKNOWN_SYMBOL"},
    503: {"model": ErrorAnswer, "description": "UNAVAILABLE: nothing was signed"},
}

log = structlog.get_logger()


def application(broker: Broker, config: BrokerConfig, metrics: Metrics, healthy: Callable[[], bool]) -> FastAPI:
    """The service. `healthy`: whether the chain was read of late."""
    app = FastAPI(title="Issuer's broker", version="1", description="Signed quotes to mint and redeem stock tokens.")
    _answers(app, broker)
    _upkeep(app, metrics, healthy)
    _errors(app)
    app.add_middleware(Gate, users=users_by_key(config))
    # Added last, so outermost: what the gate turns away counts too.
    app.middleware("http")(_measured(metrics))
    return app


def _answers(app: FastAPI, broker: Broker) -> None:
    @app.post("/v1/attestations", responses=REFUSALS, dependencies=[SECURITY])
    def attestations(ask: Ask, request: Request, idempotency_key: IdempotencyKey = None) -> AttestationAnswer:
        """A signed quote, which uses up some of the caller's limits."""
        return broker.attest(_user(request), ask, idempotency_key)

    # The second is where the issuer's own service has it.
    @app.post("/v1/quotes", responses=REFUSALS, dependencies=[SECURITY])
    @app.post("/v1/attestations/soft", responses=REFUSALS, dependencies=[SECURITY], include_in_schema=False)
    def quotes(ask: Ask) -> SoftAnswer:
        """What an attestation would cost now. It binds nobody and uses up nothing."""
        return broker.soft_quote(ask)

    @app.get("/v1/status", responses={401: REFUSALS[401], 503: REFUSALS[503]}, dependencies=[SECURITY])
    def status(request: Request) -> StatusAnswer:
        """The session, which assets are dealt in, and what is left of the caller's limits."""
        return broker.status(_user(request))


def _upkeep(app: FastAPI, metrics: Metrics, healthy: Callable[[], bool]) -> None:
    @app.get("/healthz", responses={503: {"description": "the chain was not read of late"}})
    async def healthz() -> JSONResponse:
        """Whether the broker can do its work."""
        good = healthy()
        return JSONResponse({"status": "ok" if good else "chain not read"}, 200 if good else 503)

    @app.get("/metrics", include_in_schema=False)
    async def told_metrics() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def _errors(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        log.info("refused", user=_user(request).name, path=request.url.path, code=error.code, why=str(error))
        request.state.outcome = error.code
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        request.state.outcome = InvalidRequest.code
        return refusal(InvalidRequest("; ".join(_told(entry) for entry in error.errors())))

    @app.exception_handler(HTTPException)
    async def astray(request: Request, error: HTTPException) -> JSONResponse:
        code = "INVALID_REQUEST" if error.status_code == 400 else "NO_SUCH_ENDPOINT"
        request.state.outcome = code
        return JSONResponse({"code": code, "message": error.detail}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> JSONResponse:
        log.error("internal_error", traceback="".join(traceback.format_exception(error)))
        return JSONResponse({"code": "INTERNAL", "message": "a mistake in the broker; nothing was promised"}, 500)


def _told(entry: dict[str, Any]) -> str:
    """Which field and why, without what was sent."""
    where = ".".join(str(part) for part in entry["loc"] if part not in ("body", "header"))
    return f"{where or 'body'}: {entry['msg'].removeprefix('Value error, ')}"


def _measured(metrics: Metrics) -> Callable[..., Any]:
    async def measured(request: Request, call_next: Callable[[Request], Any]) -> Response:
        began = time.monotonic()
        status = "500"
        try:
            response: Response = await call_next(request)
            status = str(response.status_code)
        finally:
            route = request.scope.get("route")
            # By route, not by path: anybody can make up paths.
            endpoint = "other" if route is None else route.path
            metrics.answered(endpoint, getattr(request.state, "outcome", status), time.monotonic() - began)
        return response

    return measured


def _user(request: Request) -> UserTable:
    user: UserTable = request.state.user
    return user
