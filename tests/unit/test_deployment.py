"""deployment: what parameters must say before anything is deployed, who ends up with which role, and the manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prime_perps import deployment, sessions
from prime_perps.chain import Contract
from prime_perps.chain.revm import START, RevmBackend
from prime_perps.deployment import PARAMETERS, BadManifest, BadParameters, Deployment, deploy
from prime_perps.errors import PrimePerpsError
from prime_perps.margin import Closure
from tests.stage import address, parameters

GOVERNED = ("configurator", "vault", "oracle", "interest", "engine", "insurance_fund", "gateway")
DEPLOYER = address("deployer")


def _local() -> dict[str, Any]:
    """parameters/local.json as it is in the repository."""
    given: dict[str, Any] = json.loads((PARAMETERS / "local.json").read_text())
    return given


def _refused(given: dict[str, Any]) -> str:
    """What is said about parameters of which nothing, not one contract, may be deployed."""
    backend = RevmBackend()
    with pytest.raises(BadParameters) as refused:
        deploy(backend, DEPLOYER, given)
    assert backend.nonce(DEPLOYER) == 0
    return str(refused.value)


def _entries(given: dict[str, Any], prefix: str = "") -> list[str]:
    """Every entry that is no section."""
    found = []
    for name, value in given.items():
        found += _entries(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"]
    return found


def _without(given: dict[str, Any], path: str) -> dict[str, Any]:
    """The same, but for one entry: `liquidation.lapse`."""
    *outer, last = path.split(".")
    inner = given
    for name in outer:
        inner = inner[name]
    del inner[last]
    return given


# parameters


@pytest.mark.parametrize(
    ("ramp", "told"),
    [
        (0, "risk_ramp is 0, not a number of seconds from 1 to 2592000"),
        (30 * 86_400 + 1, "not a number of seconds from 1 to 2592000"),
        ("3 days", "risk_ramp is '3 days', not a number"),
        (True, "risk_ramp is True, not a number"),
        (60, "risk_ramp is 60, it must be longer than governance.delay, 60"),
    ],
)
def test_deploy__impossible_risk_ramp__is_named(ramp: object, told: str) -> None:
    assert told in _refused(_local() | {"risk_ramp": ramp})


@pytest.mark.parametrize(
    "feed",
    [
        {},
        {"source": ["exchange"]},
        {"source": ["reports"], "heart_beat": 1},
        {"source": ["pyth"], "price_id": "no hex"},
        {"source": ["pyth"], "price_id": 7},
        ["reports"],
    ],
)
def test_deploy__feed_that_is_none__is_named_with_its_place(feed: object) -> None:
    given = parameters()
    given["underlyings"][2]["feed"] = feed
    assert _refused(given).startswith("parameters: underlyings[2].feed is no list of sources with their fields (")


@pytest.mark.parametrize(("symbol", "session"), [("AAPL", 0), ("BTC", 6)])
def test_deploy__feed_of_several_sources__is_listed(symbol: str, session: int) -> None:
    backend = RevmBackend()
    aggregator = Contract.deploy(backend, "DevnetFeed", 8, symbol, sender=address("issuer")).address
    pyth = Contract.deploy(backend, "DevnetPyth", 1, sender=address("issuer")).address
    fields = {
        "aggregator": aggregator,
        "decimals": 8,
        "heartbeat": 60,
        "confidence": 30,
        "pyth": pyth,
        "alone": False,
        "jump": 500,
    }
    given = parameters()
    entry = next(each for each in given["underlyings"] if each["symbol"] == symbol)
    entry["feed"] = {"source": ["reports", "aggregator", "pyth"], "price_id": "0x0a", **fields}
    made = deploy(backend, DEPLOYER, given)
    expected = (7, aggregator, 8, 60, 30, session, pyth, (10).to_bytes(32, "big"), False, 500, NOBODY, NOBODY)
    assert tuple(made.oracle.feed(made.underlying(symbol).id)) == expected


NO_LIST = 'must be a list of addresses, or ["deployer"]'
NOBODY = f"0x{'00' * 20}"


@pytest.mark.parametrize(
    ("entry", "named", "told"),
    [
        ("proposers", [], NO_LIST),
        ("proposers", None, NO_LIST),
        ("executors", [], NO_LIST),
        ("executors", "deployer", NO_LIST),
        ("proposers", [""], "has '', neither an address nor \"deployer\""),
        ("executors", [NOBODY], f"has '{NOBODY}', neither an address nor \"deployer\""),
        ("guardian", "", "has '', neither an address nor \"deployer\""),
        ("guardian", None, 'has None, neither an address nor "deployer"'),
        ("calendar", "", "has '', neither an address nor \"deployer\""),
    ],
)
def test_deploy__nobody_named_to_govern__is_refused_before_anything_is_deployed(
    entry: str, named: object, told: str
) -> None:
    """A live network must not end up governed by whoever happened to pay for its deployment, or by nobody."""
    given = parameters()
    given["governance"][entry] = named
    assert _refused(given) == f"parameters: governance.{entry} {told}"


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("governance", "governance.delay"),
        ("calendar", "calendar.exchange"),
        ("oracle", "oracle.threshold"),
        ("oracle.limits", "oracle.limits.age"),
        ("fees", "fees.maker_pips"),
        ("liquidation", "liquidation.start_price"),
        ("cash", "cash.token"),
        *((path, path) for path in _entries(parameters())),
    ],
)
def test_deploy__entry_missing__is_named_before_anything_is_deployed(missing: str, named: str) -> None:
    """A section that is missing is named by the first of its entries."""
    assert _refused(_without(parameters(), missing)) == f"parameters: missing or malformed entry '{named}'"


@pytest.mark.parametrize(
    "missing",
    ["symbol", "tier", "deposit_cap", "market.open_interest_cap", "market.band_bps", "market.funding_depth"],
)
def test_deploy__entry_of_an_underlying_missing__is_named_with_its_place(missing: str) -> None:
    given = parameters()
    _without(given["underlyings"][2], missing)
    assert _refused(given) == f"parameters: missing or malformed entry 'underlyings[2].{missing}'"


def test_deploy__underlying_without_token_or_market__needs_nothing_for_them() -> None:
    given = parameters()
    given["underlyings"].append({"symbol": "GME", "tier": "T1"})
    listed = deploy(RevmBackend(), DEPLOYER, given).underlying("GME")
    assert (listed.id, listed.token, listed.has_market) == (7, None, False)


@pytest.mark.parametrize("entry", ["proposers", "executors"])
@pytest.mark.parametrize("named", [[""], "deployer"])
def test_deploy__governors_that_are_no_list_of_addresses__are_refused(entry: str, named: object) -> None:
    given = parameters()
    given["governance"][entry] = named
    assert "governance" in _refused(given)


@pytest.mark.parametrize("changed", [{"governance": []}, {"governance": None}, {"liquidation": "soon"}])
def test_deploy__section_that_is_none__is_refused(changed: dict[str, Any]) -> None:
    assert _refused(parameters() | changed).startswith("parameters: missing or malformed entry")


def test_deploy__number_that_is_none__is_refused() -> None:
    given = parameters()
    given["liquidation"]["target_health"] = "healthy"
    assert _refused(given).startswith("parameters: missing or malformed entry")


def test_deploy__no_such_risk_file__is_named() -> None:
    with pytest.raises(PrimePerpsError, match=r"^none\.json: cannot be read"):
        deploy(RevmBackend(), DEPLOYER, parameters() | {"risk": "none.json"})


# calendar


@pytest.mark.parametrize("start", [START, 1_783_000_000, 1_220_277_600, 1_900_000_000])
def test_deploy__local_parameters__post_the_closures_of_the_exchange_from_the_chains_time_on(start: int) -> None:
    backend = RevmBackend(start)
    oracle = deploy(backend, DEPLOYER, _local()).oracle
    posted, until = sessions.coverage(start, 380)
    assert oracle.covered_until() == until
    for instant in range(start, until + 2 * sessions.DAY, 5_400):
        backend.warp(instant - backend.timestamp())
        assert Closure(*oracle.closure()) == sessions.facts(instant, posted, until)


def test_deploy__of_no_exchange__is_open_until_coverage_ends() -> None:
    backend = RevmBackend()
    oracle = deploy(backend, DEPLOYER, parameters() | {"calendar": {"exchange": "", "days": 9}}).oracle
    assert oracle.covered_until() == START + 9 * sessions.DAY
    for day in range(12):
        assert Closure(*oracle.closure()) == sessions.facts(backend.timestamp(), [], START + 9 * sessions.DAY), day
        backend.warp(sessions.DAY)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"exchange": "XLON"}, """calendar.exchange is 'XLON'; known are "XNYS", and "" for none"""),
        ({"exchange": None}, """calendar.exchange is None; known are "XNYS", and "" for none"""),
        ({"days": 0}, "calendar.days is 0, must be from 1 to 390"),
        ({"days": 391}, "calendar.days is 391, must be from 1 to 390"),
        ({"days": "380"}, "calendar.days is '380', must be from 1 to 390"),
    ],
)
def test_deploy__calendar_that_cannot_be_posted__is_refused_before_anything_is_deployed(
    entry: dict[str, Any], told: str
) -> None:
    given = parameters()
    given["calendar"] |= entry
    assert _refused(given) == f"parameters: {told}"


# who governs


def _governors(system: Deployment) -> dict[str, list[str]]:
    """Who of the people of these tests has which role of the timelock, and who is a guardian of every contract."""
    timelock, people = system.timelock, ("deployer", "governor", "guardian", "attacker")
    roles = {
        name: [who for who in people if timelock.hasRole(getattr(timelock, f"{name}_ROLE")(), address(who))]
        for name in ("PROPOSER", "EXECUTOR", "CANCELLER")
    }
    contracts = [getattr(system, part) for part in GOVERNED]
    guarded = {
        tuple(who for who in people if contract.hasRole(contract.GUARDIAN_ROLE(), address(who)))
        for contract in contracts
    }
    assert len(guarded) == 1, "every contract has the same guardians"
    return roles | {"GUARDIAN": list(guarded.pop())}


def test_deploy__local_parameters__are_governed_by_the_deployer_who_is_named_there() -> None:
    system = deploy(RevmBackend(), DEPLOYER, _local())
    assert _governors(system) == {role: ["deployer"] for role in ("PROPOSER", "EXECUTOR", "CANCELLER", "GUARDIAN")}


def test_deploy__others_named__leaves_the_deployer_nothing() -> None:
    system = deploy(RevmBackend(), DEPLOYER, parameters())
    assert _governors(system) == {
        "PROPOSER": ["governor"],
        "EXECUTOR": ["governor"],
        "CANCELLER": ["governor"],
        "GUARDIAN": ["guardian"],
    }


def test_deploy__deployer_among_others__stands_for_the_deployer_alone() -> None:
    given = parameters()
    given["governance"] |= {"proposers": [address("governor"), "deployer"]}
    assert _governors(deploy(RevmBackend(), DEPLOYER, given)) == {
        "PROPOSER": ["deployer", "governor"],
        "EXECUTOR": ["governor"],
        "CANCELLER": ["deployer", "governor"],
        "GUARDIAN": ["guardian"],
    }


@pytest.mark.parametrize("part", GOVERNED)
def test_AC_1_deploy__even_by_local_parameters__leaves_the_deployer_no_role_that_loosens(part: str) -> None:
    system = deploy(RevmBackend(), DEPLOYER, _local())
    contract = getattr(system, part)
    for role in (contract.DEFAULT_ADMIN_ROLE(), contract.TIMELOCK_ROLE()):
        assert not contract.hasRole(role, DEPLOYER)
        assert contract.hasRole(role, system.timelock.address)


@pytest.mark.parametrize(("given", "poster"), [(_local(), "deployer"), (parameters(), "calendar keeper")])
def test_deploy__calendar__is_posted_by_whoever_is_named(given: dict[str, Any], poster: str) -> None:
    oracle = deploy(RevmBackend(), DEPLOYER, given).oracle
    people = ("deployer", "governor", "guardian", "calendar keeper")
    assert [who for who in people if oracle.hasRole(oracle.CALENDAR_ROLE(), address(who))] == [poster]


# the issuer

ISSUER = {
    "manager": "devnet",
    "desk": address("desk"),
    "signers": [address("signer")],
    "bound": True,
    "band_bps": 100,
    "haircut_bps": 1_000,
    "haircut_period": 864_000,
}


def test_deploy__no_issuer__lists_nothing_and_names_no_desk() -> None:
    gateway = deploy(RevmBackend(), DEPLOYER, parameters()).gateway
    assert gateway.listing(64).manager == NOBODY
    assert not gateway.hasRole(gateway.DESK_ROLE(), DEPLOYER)


def test_deploy__a_stand_in_for_the_issuer__knows_the_gateway_and_lists_every_token() -> None:
    system = deploy(RevmBackend(), DEPLOYER, parameters() | {"issuer": ISSUER})
    gateway = system.gateway
    assert gateway.hasRole(gateway.DESK_ROLE(), address("desk"))
    for entry in system.underlyings:
        listing = gateway.listing(64 + entry.id)
        if entry.token is None:
            assert listing.manager == NOBODY
            continue
        manager = Contract.at(system.backend, "IssuerTokenManager", listing.manager)
        assert manager.gmTokenAccepted(entry.token)
        assert manager.is_signer(address("signer"))
        assert gateway.user_id(64 + entry.id) == deployment.GATEWAY_ID
        assert tuple(listing)[1:3] == (manager.usdon(), manager.usdonManager())
        assert tuple(listing)[4:] == (100, True, 1_000, 864_000, True)


def test_deploy__an_issuer_that_is_there__is_listed_as_named() -> None:
    backend = RevmBackend()
    parts = {
        name: Contract.deploy(backend, "Stablecoin", sender=address("issuer")).address
        for name in ("manager", *deployment.ISSUER_PARTS)
    }
    given = {name: value for name, value in ISSUER.items() if name != "signers"} | parts | {"desk": "deployer"}
    gateway = deploy(backend, DEPLOYER, parameters() | {"issuer": given}).gateway
    assert tuple(gateway.listing(64)) == (*parts.values(), 100, True, 1_000, 864_000, True)
    assert gateway.hasRole(gateway.DESK_ROLE(), DEPLOYER)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        *(({name: None}, "missing") for name in ISSUER),
        ({"desk": ""}, "issuer.desk is '', neither an address nor \"deployer\""),
        ({"desk": NOBODY}, f"issuer.desk is '{NOBODY}', neither an address nor \"deployer\""),
        ({"manager": "ondo"}, "issuer.manager is 'ondo', not an address"),
        ({"manager": address("manager")}, "missing or malformed entry 'issuer.dollar'"),
        ({"manager": address("manager"), "dollar": "USDon"}, "issuer.dollar is 'USDon', not an address"),
    ],
)
def test_deploy__an_issuer_that_cannot_be_listed__is_named_before_anything_is_deployed(
    changed: dict[str, Any], told: str
) -> None:
    """An entry of nothing stands for one that is missing."""
    given = {name: value for name, value in (ISSUER | changed).items() if value is not None}
    (missing,) = [name for name, value in changed.items() if value is None] or [""]
    wanted = f"missing or malformed entry 'issuer.{missing}'" if missing else told
    assert _refused(parameters() | {"issuer": given}) == f"parameters: {wanted}"


# manifest


@pytest.fixture(scope="module")
def system() -> Deployment:
    return deployment.deploy(RevmBackend(), DEPLOYER, parameters(), block=7)


@pytest.fixture
def manifest(system: Deployment, tmp_path: Path) -> Path:
    """In a directory that is not there yet."""
    path = tmp_path / "deployments" / "saved.json"
    system.save(path)
    return path


def _altered(path: Path, **changed: Any) -> Path:
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    return path


def test_load__what_was_saved__is_the_same_system(system: Deployment, manifest: Path) -> None:
    loaded = Deployment.load(system.backend, manifest)
    assert loaded.addresses() == system.addresses()
    assert loaded.block == system.block == 7
    for found, kept in zip(loaded.underlyings, system.underlyings, strict=True):
        assert (found.id, found.symbol, found.has_market) == (kept.id, kept.symbol, kept.has_market)
        assert (found.token is None) == (kept.token is None)
    assert loaded.clearinghouse.settings() == system.clearinghouse.settings()
    assert loaded.underlying("AAPL").token.decimals() == 18


def test_save__again__replaces_the_manifest(system: Deployment, manifest: Path) -> None:
    saved = manifest.read_text()
    _altered(manifest, chain_id=5)
    system.save(manifest)
    assert manifest.read_text() == saved


def test_underlying__not_listed__names_those_that_are(system: Deployment) -> None:
    with pytest.raises(KeyError, match="GME is not listed; listed are AAPL, IBM"):
        system.underlying("GME")


def test_load__of_another_chain__names_both(system: Deployment, manifest: Path) -> None:
    _altered(manifest, chain_id=31_337)
    with pytest.raises(BadManifest) as refused:
        Deployment.load(system.backend, manifest)
    assert str(refused.value) == "saved.json is a deployment on chain 31337, the node is on chain 1"


def test_load__no_such_file__says_what_to_do(system: Deployment, tmp_path: Path) -> None:
    with pytest.raises(BadManifest) as refused:
        Deployment.load(system.backend, tmp_path / "none.json")
    assert str(refused.value) == "no manifest none.json: deploy first, or name another one"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", "{}", '{"chain_id": 1}'])
def test_load__file_that_is_no_manifest__is_refused_by_name(system: Deployment, tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BadManifest, match=r"^other\.json is not a deployment manifest"):
        Deployment.load(system.backend, path)


@pytest.mark.parametrize("part", Deployment.PARTS)
def test_load__contract_missing__is_named(system: Deployment, manifest: Path, part: str) -> None:
    contracts = json.loads(manifest.read_text())["contracts"]
    del contracts[part]
    with pytest.raises(BadManifest, match=rf"^saved\.json is not a deployment manifest: it lacks '{part}'$"):
        Deployment.load(system.backend, _altered(manifest, contracts=contracts))
