"""Deploy the whole system: one function for networks, development chains and test fixtures.

What is deployed where is kept as a manifest, deployments/<network>.json; what it is configured with is data,
parameters/<network>.json and the risk table it names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_utils import is_address, keccak, to_canonical_address, to_checksum_address

from prime_perps import compiler, risk, sessions
from prime_perps.accounts import CASH, account_id, token
from prime_perps.chain.contract import Backend, Contract, Method, Receipt
from prime_perps.errors import PrimePerpsError
from prime_perps.issuer.deployment import deploy_issuer
from prime_perps.margin import Line
from prime_perps.reports import Feed, Limits, Session, Source
from prime_perps.units import nano, wad

PARAMETERS = compiler.ROOT / "parameters"
ZERO = "0x" + "00" * 20
NO_SALT = bytes(32)
RAMP_MAX = 30 * 86_400  # seconds, of the model factory
NO_PREDECESSOR = bytes(32)


GATEWAY_ID = keccak(text="prime perps")  # as which the stand-in of the issuer knows the gateway


MARKET = ("open_interest_cap", "band_bps", "funding_depth")
# Of the issuer, which a network need not have. "devnet" as the manager deploys a stand-in, and names its parts itself.
ISSUER = ("manager", "desk", "bound", "band_bps", "haircut_bps", "haircut_period")
ISSUER_PARTS = ("dollar", "swapper", "in_kind")
# Every entry that a deployment reads, so that a missing one is named before anything is sent.
ENTRIES = (
    *(f"governance.{name}" for name in ("delay", "proposers", "executors", "guardian", "calendar")),
    *(f"oracle.{name}" for name in ("threshold", "signers")),
    *(f"oracle.limits.{name}" for name in ("age", "floor", "tolerance", "growth", "shut", "report_age")),
    *("calendar.exchange", "calendar.days"),
    *(f"fees.{name}" for name in ("maker_pips", "taker_pips", "insurance_bps")),
    *(f"liquidation.{name}" for name in ("start_price", "knee_price", "first_phase", "second_phase")),
    *(f"liquidation.{name}" for name in ("target_health", "whole_below", "smallest_slice", "reward_phase", "lapse")),
    *(f"liquidation.throttle_{name}" for name in ("interest_bps", "depth_bps", "window")),
    *("liquidation.insurance_share_bps", "insurance.target", "insurance.cooldown", "insurance.window"),
    *("cash.token", "cash.deposit_cap", "cash.rate_floor", "risk", "risk_ramp", "treasury", "underlyings"),
)


class BadParameters(PrimePerpsError):
    """The parameters cannot be deployed; the text names the entry."""


class BadManifest(PrimePerpsError):
    """The manifest does not describe a deployment, or not one on this chain."""


@dataclass(frozen=True)
class Underlying:
    """One thing with a price: `id` 0..63, and its primary token if it has one."""

    id: int
    symbol: str
    token: Contract | None
    has_market: bool


@dataclass(frozen=True)
class Deployment:
    """The deployed system on one backend."""

    backend: Backend
    clearinghouse: Contract
    exchange: Contract
    vault: Contract
    oracle: Contract
    models: Contract
    interest: Contract
    engine: Contract
    configurator: Contract
    batcher: Contract
    gateway: Contract
    operators: Contract
    insurance_fund: Contract
    lens: Contract
    timelock: Contract
    cash: Contract
    underlyings: tuple[Underlying, ...]
    block: int = 0

    PARTS = (
        *("clearinghouse", "exchange", "vault", "oracle", "models", "interest", "engine", "configurator", "batcher"),
        *("gateway", "operators", "insurance_fund"),
        *("lens", "timelock", "cash"),
    )

    def underlying(self, symbol: str) -> Underlying:
        """By symbol. Raises KeyError."""
        for entry in self.underlyings:
            if entry.symbol == symbol:
                return entry
        raise KeyError(f"{symbol} is not listed; listed are {', '.join(e.symbol for e in self.underlyings)}")

    def addresses(self) -> dict[str, str]:
        """Every contract's address by name, tokens by symbol."""
        parts = {part: getattr(self, part).address for part in self.PARTS}
        return parts | {entry.symbol: entry.token.address for entry in self.underlyings if entry.token}

    def save(self, path: Path) -> None:
        """Write the manifest."""
        manifest = {
            "chain_id": self.backend.chain_id(),
            "block": self.block,
            "contracts": {
                part: {"name": getattr(self, part).name, "address": getattr(self, part).address} for part in self.PARTS
            },
            "underlyings": [
                {
                    "id": entry.id,
                    "symbol": entry.symbol,
                    "token": {"name": entry.token.name, "address": entry.token.address} if entry.token else None,
                    "has_market": entry.has_market,
                }
                for entry in self.underlyings
            ],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(manifest, indent=2) + "\n")

    @classmethod
    def load(cls, backend: Backend, path: Path) -> Deployment:
        """Read a manifest. Raises BadManifest when it is none, or belongs to another chain."""
        try:
            manifest = json.loads(path.read_text())
            chain, here = manifest["chain_id"], backend.chain_id()
            if chain != here:
                raise BadManifest(f"{path.name} is a deployment on chain {chain}, the node is on chain {here}")

            def at(entry: dict[str, str]) -> Contract:
                return Contract.at(backend, entry["name"], entry["address"])

            parts = {part: at(manifest["contracts"][part]) for part in cls.PARTS}
            underlyings = tuple(
                Underlying(e["id"], e["symbol"], at(e["token"]) if e["token"] else None, e["has_market"])
                for e in manifest["underlyings"]
            )
        except FileNotFoundError:
            raise BadManifest(f"no manifest {path.name}: deploy first, or name another one") from None
        except KeyError as error:
            raise BadManifest(f"{path.name} is not a deployment manifest: it lacks {error}") from None
        except (TypeError, ValueError) as error:
            raise BadManifest(f"{path.name} is not a deployment manifest ({error})") from None
        return cls(backend, **parts, underlyings=underlyings, block=manifest["block"])

    @property
    def model(self) -> Contract:
        """The margin model in use."""
        return Contract.at(self.backend, "MarginModel", self.clearinghouse.settings().model)

    # governance

    def schedule(self, method: Method, *args: Any, sender: str, salt: bytes = NO_SALT) -> Receipt:
        """Queue a call with the timelock, to be executed after its delay. The same call again needs another `salt`."""
        target, data, delay = method.contract.address, method.encode(*args), self.timelock.get_minimum_delay()
        return self.timelock.schedule.send(target, 0, data, NO_PREDECESSOR, salt, delay, sender=sender)

    def execute(self, method: Method, *args: Any, sender: str, salt: bytes = NO_SALT) -> Receipt:
        """Carry out a queued call whose delay has passed."""
        data = method.encode(*args)
        return self.timelock.execute.send(method.contract.address, 0, data, NO_PREDECESSOR, salt, sender=sender)


def create_address(sender: str, nonce: int) -> str:
    """Where the contract that `sender` creates with `nonce` will be."""
    return to_checksum_address(keccak(rlp.encode([to_canonical_address(sender), nonce]))[12:])


def deploy(backend: Backend, sender: str, parameters: dict[str, Any], block: int = 0) -> Deployment:
    """
    Deploy and configure everything from `sender`, then hand the roles over to the timelock and the guardian.

    `parameters` is the content of a file like parameters/local.json. Raises BadParameters, and Revert with the reason
    of the first contract that refuses a value.
    """
    plan = _Plan.read(parameters)
    cash = _cash(backend, sender, plan)
    governance = plan.governance
    timelock = Contract.deploy(
        backend,
        "Timelock",
        governance.delay,
        [_named(proposer, sender) for proposer in governance.proposers],
        [_named(executor, sender) for executor in governance.executors],
        [],
        sender=sender,
    )
    oracle = Contract.deploy(
        backend,
        "OracleAdapter",
        plan.oracle["threshold"],
        plan.limits,
        sender=sender,
    )
    blueprint = Contract.deploy_blueprint(backend, "MarginModel", sender=sender)
    models = Contract.deploy(backend, "ModelFactory", blueprint, plan.risk_ramp, sender=sender)
    made = models.make(plan.table.globals, plan.lines(), ZERO, 0, sender=sender)
    model = next(fields["model"] for name, fields in models.events(made) if name == "ModelMade")
    interest = Contract.deploy(backend, "InterestModel", plan.rate_floor, sender=sender)
    operators = Contract.deploy(backend, "Operators", sender=sender)
    # The clearinghouse names its partners for good, so it is told where they are going to be: in the order below.
    first = backend.nonce(sender) + 1
    *partners, fund = [create_address(sender, first + step) for step in range(7)]
    clearinghouse = Contract.deploy(
        *(backend, "PerpClearinghouse", oracle, model, operators, interest, *partners), sender=sender
    )
    deployment = Deployment(
        backend=backend,
        clearinghouse=clearinghouse,
        vault=Contract.deploy(backend, "CollateralVault", clearinghouse, sender=sender),
        exchange=Contract.deploy(backend, "Exchange", clearinghouse, sender=sender),
        engine=Contract.deploy(backend, "LiquidationEngine", clearinghouse, fund, plan.liquidation, sender=sender),
        configurator=Contract.deploy(backend, "Configurator", clearinghouse, models, sender=sender),
        batcher=Contract.deploy(backend, "Batcher", clearinghouse, sender=sender),
        gateway=Contract.deploy(backend, "IssuerGateway", clearinghouse, sender=sender),
        insurance_fund=Contract.deploy(backend, "InsuranceFund", clearinghouse, plan.insurance, sender=sender),
        lens=Contract.deploy(backend, "AccountLens", clearinghouse, sender=sender),
        oracle=oracle,
        operators=operators,
        models=models,
        interest=interest,
        timelock=timelock,
        cash=cash,
        underlyings=tuple(_tokens(backend, sender, plan)),
        block=block,
    )
    _configure(deployment, sender, plan)
    _hand_over(deployment, sender, governance)
    return deployment


# parameters


@dataclass(frozen=True)
class _Governance:
    delay: int
    proposers: list[str]
    executors: list[str]
    guardian: str
    calendar: str


@dataclass(frozen=True)
class _Calendar:
    """Whose closures are posted, and for how many days; of no exchange, none."""

    exchange: str
    days: int

    def posting(self, now: int) -> tuple[list[sessions.Closing], int]:
        """What `post_closures` takes."""
        return sessions.coverage(now, self.days) if self.exchange else ([], now + self.days * sessions.DAY)


@dataclass(frozen=True)
class _Plan:
    """Parameters, checked for shape; the contracts check the values."""

    governance: _Governance
    oracle: dict[str, Any]
    limits: Limits
    calendar: _Calendar
    fees: dict[str, int]
    liquidation: tuple[int, ...]
    insurance: tuple[int, int, int]
    cash: dict[str, Any]
    rate_floor: int  # wad a year
    underlyings: list[dict[str, Any]]
    table: risk.RiskTable
    risk_ramp: int
    treasury: str
    issuer: dict[str, Any] | None

    @classmethod
    def read(cls, parameters: dict[str, Any]) -> _Plan:
        """Raises BadParameters for the first entry that is not there: a deployment must not stop half way for it."""
        for path in ENTRIES:
            _require(parameters, path)
        for number, entry in enumerate(parameters["underlyings"]):
            wanted = ["symbol", "tier", *(["deposit_cap"] if entry.get("token") else [])]
            wanted += [f"market.{name}" for name in MARKET if "market" in entry]
            for path in wanted:
                _require(entry, path, f"underlyings[{number}].")
            _check_feed(entry, f"underlyings[{number}].feed")
        issuer = parameters.get("issuer")
        if issuer is not None:
            _check_issuer(issuer)
        try:
            governance = parameters["governance"]
            _check_governors(governance)
            _check_ramp(parameters["risk_ramp"], governance["delay"])
            calendar = _Calendar(parameters["calendar"]["exchange"], parameters["calendar"]["days"])
            _check_calendar(calendar)
            terms, insurance = parameters["liquidation"], parameters["insurance"]
            return cls(
                governance=_Governance(
                    governance["delay"],
                    governance["proposers"],
                    governance["executors"],
                    governance["guardian"],
                    governance["calendar"],
                ),
                oracle=parameters["oracle"],
                limits=Limits(**parameters["oracle"]["limits"]),
                calendar=calendar,
                fees=parameters["fees"],
                liquidation=(
                    wad(terms["start_price"]),
                    wad(terms["knee_price"]),
                    terms["first_phase"],
                    terms["second_phase"],
                    wad(terms["target_health"]),
                    wad(terms["whole_below"]),
                    wad(terms["smallest_slice"]),
                    terms["reward_phase"],
                    terms["lapse"],
                    terms["throttle_interest_bps"],
                    terms["throttle_depth_bps"],
                    terms["throttle_window"],
                    terms["insurance_share_bps"],
                ),
                insurance=(wad(insurance["target"]), insurance["cooldown"], insurance["window"]),
                cash=parameters["cash"],
                rate_floor=wad(parameters["cash"]["rate_floor"]),
                underlyings=parameters["underlyings"],
                table=risk.load(PARAMETERS / parameters["risk"]),
                risk_ramp=parameters["risk_ramp"],
                treasury=parameters["treasury"],
                issuer=issuer,
            )
        except (KeyError, TypeError, ArithmeticError) as error:
            raise BadParameters(f"parameters: missing or malformed entry {error}") from None

    def lines(self) -> list[Line]:
        """One risk line per underlying, in order of id."""
        return [self.table.line(entry["tier"]) for entry in self.underlyings]


def _check_ramp(ramp: Any, delay: Any) -> None:
    """A vote must be able to answer charges that a guardian has raised before they are wholly in force."""
    if not isinstance(ramp, int) or isinstance(ramp, bool) or not 0 < ramp <= RAMP_MAX:
        raise BadParameters(f"parameters: risk_ramp is {ramp!r}, not a number of seconds from 1 to {RAMP_MAX}")
    if ramp <= delay:
        raise BadParameters(f"parameters: risk_ramp is {ramp}, it must be longer than governance.delay, {delay}")


def _check_governors(governance: dict[str, Any]) -> None:
    """Whoever governs is named one by one: an address, or the word `deployer`."""
    lists = {"proposers": governance["proposers"], "executors": governance["executors"]}
    alone = {name: [governance[name]] for name in ("guardian", "calendar")}
    for name, entries in (lists | alone).items():
        if not isinstance(entries, list) or not entries:
            raise BadParameters(f'parameters: governance.{name} must be a list of addresses, or ["deployer"]')
        for entry in entries:
            if entry != "deployer" and (not is_address(entry) or int(entry, 16) == 0):
                raise BadParameters(f'parameters: governance.{name} has {entry!r}, neither an address nor "deployer"')


def _check_issuer(issuer: Any) -> None:
    """Whoever says what payments were for is named: an address, or the word `deployer`."""
    for name in ISSUER:
        _require(issuer, name, "issuer.")
    desk = issuer["desk"]
    if desk != "deployer" and (not is_address(desk) or int(desk, 16) == 0):
        raise BadParameters(f'parameters: issuer.desk is {desk!r}, neither an address nor "deployer"')
    if issuer["manager"] == "devnet":
        _require(issuer, "signers", "issuer.")
        return
    for name in ("manager", *ISSUER_PARTS):
        _require(issuer, name, "issuer.")
        if not is_address(issuer[name]):
            raise BadParameters(f"parameters: issuer.{name} is {issuer[name]!r}, not an address")


def _check_calendar(calendar: _Calendar) -> None:
    if calendar.exchange not in (sessions.EXCHANGE, ""):
        raise BadParameters(
            f'parameters: calendar.exchange is {calendar.exchange!r}; known are "{sessions.EXCHANGE}", and "" for none'
        )
    if not isinstance(calendar.days, int) or not 1 <= calendar.days <= sessions.COVERAGE_DAYS:
        raise BadParameters(
            f"parameters: calendar.days is {calendar.days!r}, must be from 1 to {sessions.COVERAGE_DAYS}"
        )


def _check_feed(entry: dict[str, Any], path: str) -> None:
    try:
        _feed(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadParameters(f"parameters: {path} is no list of sources with their fields ({error})") from None


def _require(mapping: Any, path: str, prefix: str = "") -> None:
    found = mapping
    for name in path.split("."):
        if not isinstance(found, dict) or name not in found:
            raise BadParameters(f"parameters: missing or malformed entry '{prefix}{path}'")
        found = found[name]


# steps


def _cash(backend: Backend, sender: str, plan: _Plan) -> Contract:
    if plan.cash["token"] == "devnet":
        return Contract.deploy(backend, "Stablecoin", sender=sender)
    return Contract.at(backend, "Stablecoin", plan.cash["token"])


def _tokens(backend: Backend, sender: str, plan: _Plan) -> list[Underlying]:
    compliance: Contract | None = None
    found = []
    for number, entry in enumerate(plan.underlyings):
        kind = entry.get("token")
        held: Contract | None = None
        if kind == "devnet":
            compliance = compliance or Contract.deploy(backend, "IssuerCompliance", sender=sender)
            symbol = f"{entry['symbol']}on"
            held = Contract.deploy(backend, "StockToken", f"{entry['symbol']} token", symbol, compliance, sender=sender)
        elif kind:
            held = Contract.at(backend, "StockToken", kind)
        found.append(Underlying(number, entry["symbol"], held, "market" in entry))
    return found


def _configure(deployment: Deployment, sender: str, plan: _Plan) -> None:
    """Act as the timelock for the length of the deployment."""
    for contract in _governed(deployment):
        contract.grantRole(contract.TIMELOCK_ROLE(), sender, sender=sender)
    for signer in plan.oracle["signers"]:
        deployment.oracle.set_signer(signer, True, sender=sender)
    deployment.oracle.post_closures(*plan.calendar.posting(deployment.backend.timestamp()), sender=sender)
    fees = plan.fees
    deployment.configurator.set_fees(fees["maker_pips"], fees["taker_pips"], fees["insurance_bps"], sender=sender)
    if plan.treasury:
        deployment.configurator.set_treasury(account_id(plan.treasury), sender=sender)
    decimals = deployment.cash.decimals()
    deployment.vault.list_asset(CASH, deployment.cash, int(plan.cash["deposit_cap"]) * 10**decimals, sender=sender)
    for entry, underlying in zip(plan.underlyings, deployment.underlyings, strict=True):
        _list(deployment, sender, entry, underlying)
    if plan.issuer is not None:
        _link(deployment, sender, plan.issuer)


def _link(deployment: Deployment, sender: str, issuer: dict[str, Any]) -> None:
    """List every stock token at its issuer. A real one must register the gateway itself, before or after."""
    gateway = deployment.gateway
    gateway.grantRole(gateway.DESK_ROLE(), _named(issuer["desk"], sender), sender=sender)
    held = {token(entry.id): entry.token for entry in deployment.underlyings if entry.token}
    if issuer["manager"] == "devnet":
        made = deploy_issuer(deployment.backend, sender, deployment.cash, list(held.values()), issuer["signers"])
        made.register(gateway.address, GATEWAY_ID, sender=sender)
        made.approve_in_kind(gateway.address, GATEWAY_ID, sender=sender)
        parts = [made.manager.address, made.usdon.address, made.swapper.address, made.in_kind.address]
    else:
        parts = [issuer[name] for name in ("manager", *ISSUER_PARTS)]
    terms = issuer["band_bps"], issuer["bound"], issuer["haircut_bps"], issuer["haircut_period"]
    for instrument in held:
        gateway.set_listing(instrument, (*parts, *terms, True), sender=sender)


def _list(deployment: Deployment, sender: str, entry: dict[str, Any], underlying: Underlying) -> None:
    deployment.oracle.set_feed(underlying.id, _feed(entry), sender=sender)
    if underlying.token:
        cap = int(entry["deposit_cap"]) * 10 ** underlying.token.decimals()
        deployment.vault.list_asset(token(underlying.id), underlying.token, cap, sender=sender)
    if "market" in entry:
        market = entry["market"]
        deployment.configurator.list_market(
            underlying.id,
            nano(market["open_interest_cap"]),
            market["band_bps"],
            market["funding_depth"],
            sender=sender,
        )


def _feed(entry: dict[str, Any]) -> Feed:
    """
    The sources of an underlying: `feed` names them in a list, and has their fields as `Feed` calls them. Without it,
    signed reports. Raises KeyError, TypeError or ValueError for what is no feed.
    """
    given = dict(entry.get("feed", {"source": ["reports"]}))
    source = Source(0)
    for name in given.pop("source"):
        source |= Source[name.upper()]
    pushed = bool(source & (Source.AGGREGATOR | Source.PYTH))
    session = Session.ALWAYS_OPEN if entry.get("always_open") and pushed else Session.UNKNOWN
    price_id = bytes.fromhex(given.pop("price_id", "").removeprefix("0x")).rjust(32, b"\0")
    return Feed(source=source, session=session, price_id=price_id, **given)


def _named(who: str, deployer: str) -> str:
    """An address of the parameters; only the word `deployer` means the deployer."""
    return deployer if who == "deployer" else who


def _governed(deployment: Deployment) -> list[Contract]:
    return [
        deployment.configurator,
        deployment.vault,
        deployment.oracle,
        deployment.interest,
        deployment.engine,
        deployment.insurance_fund,
        deployment.gateway,
    ]


def _hand_over(deployment: Deployment, sender: str, governance: _Governance) -> None:
    oracle = deployment.oracle
    oracle.grantRole(oracle.CALENDAR_ROLE(), _named(governance.calendar, sender), sender=sender)
    for contract in _governed(deployment):
        admin, timelock = contract.DEFAULT_ADMIN_ROLE(), contract.TIMELOCK_ROLE()
        contract.grantRole(admin, deployment.timelock, sender=sender)
        contract.grantRole(timelock, deployment.timelock, sender=sender)
        contract.grantRole(contract.GUARDIAN_ROLE(), _named(governance.guardian, sender), sender=sender)
        contract.renounceRole(timelock, sender, sender=sender)
        contract.renounceRole(admin, sender, sender=sender)
