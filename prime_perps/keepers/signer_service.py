"""A report signer as a program of its own: it sees prices itself, and signs over HTTP what agrees with them."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from aiohttp import web

from prime_perps.errors import NodeError, PrimePerpsError
from prime_perps.keepers import signer_rules, signer_wire
from prime_perps.keepers.loop import Stop
from prime_perps.keepers.report_signer import ReportSigner, SecondPrice
from prime_perps.keepers.signer_rules import Disagreement, Rules
from prime_perps.keepers.signer_sources import Clock, Observation, PriceSource, Unobserved
from prime_perps.keepers.signer_wire import Answer, Garbled, Refused
from prime_perps.reports import Report

READ_TIMEOUT = 5.0  # seconds in which a request must have arrived
SHUTDOWN_TIMEOUT = 2.0

log = structlog.get_logger()


class SignerService:
    """One signer and what it believes. Not for several threads."""

    def __init__(
        self, signer: ReportSigner, source: PriceSource, symbols: Mapping[int, str], rules: Rules, clock: Clock
    ) -> None:
        """`symbols`: by the number of the underlying."""
        self.address = signer.address
        self._signer = signer
        self._source = source
        self._symbols = symbols
        self._rules = rules
        self._clock = clock

    def answer(self, proposed: Sequence[Report]) -> list[Answer]:
        """
        A signature or a refusal for each report. Raises OSError when the journal cannot be written, NodeError when the
        clock is a node's: then nothing is signed.
        """
        now = self._clock()
        verdicts = [self._verdict(report, now) for report in proposed]
        agreed = [report for report, verdict in zip(proposed, verdicts, strict=True) if verdict is None]
        signed = iter(self._signer.sign_each(agreed))
        answers = [verdict or _signed_or_refused(next(signed)) for verdict in verdicts]
        self._tell(proposed, answers)
        return answers

    def look(self) -> dict[str, Observation | Unobserved]:
        """What the source says now of every symbol."""
        now = self._clock()
        seen: dict[str, Observation | Unobserved] = {}
        for symbol in self._symbols.values():
            try:
                seen[symbol] = self._source.observe(symbol, now)
            except Unobserved as nothing:
                seen[symbol] = nothing
        return seen

    def _verdict(self, report: Report, now: int) -> Refused | None:
        """Why not, by what the signer sees itself."""
        symbol = self._symbols.get(report.underlying)
        if symbol is None:
            return Refused("no such underlying")
        try:
            # Never later than now: a source must not be asked about what is to come.
            seen = self._source.observe(symbol, min(report.observed_at, now))
            signer_rules.check(report, seen, now, self._rules)
        except (Unobserved, Disagreement) as why:
            return Refused(str(why))
        return None

    def _tell(self, proposed: Sequence[Report], answers: Sequence[Answer]) -> None:
        signed: list[Report] = []
        for report, given in zip(proposed, answers, strict=True):
            symbol = self._symbols.get(report.underlying, str(report.underlying))
            if isinstance(given, Refused):
                log.warning("refused", symbol=symbol, observed_at=report.observed_at, why=given.why)
            else:
                signed.append(report)
        if signed:
            symbols = [self._symbols[report.underlying] for report in signed]
            log.info("signed", symbols=symbols, observed_at=max(report.observed_at for report in signed))


def _signed_or_refused(outcome: Answer | SecondPrice) -> Answer:
    return Refused(str(outcome)) if isinstance(outcome, SecondPrice) else outcome


def application(service: SignerService, token: str | None = None) -> web.Application:
    """The HTTP side: POST /sign, and GET /healthz. `token`: what every request for signatures must carry."""
    # One thread: requests are answered one after the other, so that a journal is written by one at a time.
    worker = ThreadPoolExecutor(1)

    async def sign(request: web.Request) -> web.Response:
        # A page in a browser on this machine can send any other type of content without asking first.
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="expected application/json")
        given = request.headers.get("Authorization", "")
        if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise web.HTTPUnauthorized(text="the token is missing or wrong")
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                body = await request.json()
            proposed = signer_wire.read_request(body)
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except (ValueError, Garbled) as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        try:
            answers = await asyncio.get_running_loop().run_in_executor(worker, service.answer, proposed)
        except (OSError, NodeError) as error:
            log.error("cannot_sign", error=str(error))
            raise web.HTTPServiceUnavailable(text="cannot sign now") from None
        return web.json_response(signer_wire.answer(service.address, answers))

    async def healthy(_: web.Request) -> web.Response:
        return web.json_response({"signer": service.address})

    async def end(_: web.Application) -> None:
        worker.shutdown()

    app = web.Application(client_max_size=signer_wire.MESSAGE_LIMIT)
    app.router.add_post(signer_wire.PATH, sign)
    app.router.add_get("/healthz", healthy)
    app.on_cleanup.append(end)
    return app


def serve(app: web.Application, host: str, port: int, stop: Stop, announce: Callable[[int], None]) -> None:
    """
    Answer requests until `stop`; `announce` is told the port, which is a free one for 0. Raises PrimePerpsError when
    the port cannot be had.
    """
    asyncio.run(_serve(app, host, port, stop, announce))


async def _serve(app: web.Application, host: str, port: int, stop: Stop, announce: Callable[[int], None]) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise PrimePerpsError(f"cannot listen on {host}:{port}: {error.strerror}") from None
        announce(int(runner.addresses[0][1]))
        await asyncio.to_thread(stop.wait)
    finally:
        await runner.cleanup()
