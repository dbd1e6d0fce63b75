"""list_asset: one token an instrument, one instrument a token, and none that moves balances by itself."""

from __future__ import annotations

import pytest

from prime_perps import risk
from prime_perps.accounts import CASH, token
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.units import WAD

from .conftest import HOSTILE, STOCK, UNLISTED, Safe

FREE = token(6)  # of the last underlying with a risk line
LINES = 7
CAP_MAX = 2**91 - 1


@pytest.fixture
def candidate(safe: Safe) -> Contract:
    """A token nobody has listed; it accepts any call, and answers the unknown ones with nothing."""
    return Contract.deploy(safe.backend, "HostileToken", 18, sender=safe.issuer)


@pytest.mark.parametrize("instrument", [FREE, UNLISTED, 254])
def test_list_asset__free_instrument__takes_deposits(safe: Safe, candidate: Contract, instrument: int) -> None:
    receipt = safe.vault.list_asset(instrument, candidate, 5 * WAD, sender=safe.timelock)
    assert safe.vault.asset(instrument) == (candidate.address, 18, 5 * WAD, 0)
    expected = {"instrument": instrument, "token": candidate.address, "decimals": 18, "cap": 5 * WAD}
    assert list(safe.vault.events(receipt)) == [("AssetListed", expected)]


@pytest.mark.parametrize("underlying", [LINES, 63])
def test_list_asset__primary_token_without_a_risk_line__reverts(
    safe: Safe, candidate: Contract, underlying: int
) -> None:
    with pytest.raises(Revert, match=r"^vault: no risk line$"):
        safe.vault.list_asset(token(underlying), candidate, 1, sender=safe.timelock)
    assert safe.vault.asset(token(underlying)) == ("0x" + "00" * 20, 0, 0, 0)


def test_list_asset__token_of_a_further_issuer__needs_no_line_of_its_own(safe: Safe, candidate: Contract) -> None:
    """128 + k stands for no underlying k: the clearinghouse lists it with one, and asks for that one's line."""
    safe.vault.list_asset(128 + LINES, candidate, 1, sender=safe.timelock)
    assert safe.vault.asset(128 + LINES).token == candidate.address


def test_list_asset__line_added_to_the_table__is_listed(safe: Safe, candidate: Contract) -> None:
    add_line(safe)
    safe.vault.list_asset(token(LINES), candidate, 1, sender=safe.timelock)
    another = Contract.deploy(safe.backend, "HostileToken", 18, sender=safe.issuer)
    with pytest.raises(Revert, match=r"^vault: no risk line$"):
        safe.vault.list_asset(token(LINES + 1), another, 1, sender=safe.timelock)


def test_list_asset__two_reasons__the_risk_line_comes_last(safe: Safe, candidate: Contract) -> None:
    with pytest.raises(Revert, match="vault: token listed already"):
        safe.vault.list_asset(token(LINES), safe.tokens[STOCK], 1, sender=safe.timelock)
    with pytest.raises(Revert, match="vault: cap too large"):
        safe.vault.list_asset(token(LINES), candidate, CAP_MAX + 1, sender=safe.timelock)


def add_line(safe: Safe) -> None:
    """One more line in the risk table, through the timelock, and wait until it counts."""
    system, used = safe.system, risk.read_table(safe.system.model)
    starts = safe.backend.timestamp() + system.timelock.get_minimum_delay()
    lines = [*used.lines, used.lines[0]]
    receipt = system.models.make(used.globals, lines, system.model, starts, sender=safe.issuer)
    ((_, fields),) = system.models.events(receipt)
    change = (system.configurator.set_model, fields["model"])
    system.schedule(*change, sender=safe.issuer)
    safe.backend.warp(system.timelock.get_minimum_delay())
    system.execute(*change, sender=safe.issuer)
    safe.backend.warp(system.models.ramp())


@pytest.mark.parametrize("decimals", [0, 6, 18])
def test_list_asset__up_to_eighteen_decimals__keeps_them(safe: Safe, decimals: int) -> None:
    candidate = Contract.deploy(safe.backend, "HostileToken", decimals, sender=safe.issuer)
    safe.vault.list_asset(FREE, candidate, 1, sender=safe.timelock)
    assert safe.vault.asset(FREE).decimals == decimals


@pytest.mark.parametrize("decimals", [19, 2**256 - 1])
def test_list_asset__more_decimals_than_the_book__reverts(safe: Safe, decimals: int) -> None:
    candidate = Contract.deploy(safe.backend, "HostileToken", decimals, sender=safe.issuer)
    with pytest.raises(Revert, match="vault: too many decimals"):
        safe.vault.list_asset(FREE, candidate, 1, sender=safe.timelock)


@pytest.mark.parametrize("cap", [0, CAP_MAX])
def test_list_asset__any_cap_that_fits__is_kept(safe: Safe, candidate: Contract, cap: int) -> None:
    safe.vault.list_asset(FREE, candidate, cap, sender=safe.timelock)
    assert safe.vault.asset(FREE).cap == cap


def test_list_asset__cap_that_does_not_fit__reverts(safe: Safe, candidate: Contract) -> None:
    with pytest.raises(Revert, match="vault: cap too large"):
        safe.vault.list_asset(FREE, candidate, CAP_MAX + 1, sender=safe.timelock)


@pytest.mark.parametrize("instrument", [0, 63, 256, 2**256 - 1])
def test_list_asset__perp_or_beyond_cash__reverts(safe: Safe, candidate: Contract, instrument: int) -> None:
    with pytest.raises(Revert, match="vault: bad instrument"):
        safe.vault.list_asset(instrument, candidate, 1, sender=safe.timelock)


@pytest.mark.parametrize("instrument", [STOCK, CASH])
def test_list_asset__instrument_has_a_token__reverts(safe: Safe, candidate: Contract, instrument: int) -> None:
    with pytest.raises(Revert, match="vault: listed already"):
        safe.vault.list_asset(instrument, candidate, 1, sender=safe.timelock)


@pytest.mark.parametrize("instrument", [STOCK, CASH, HOSTILE])
def test_list_asset__token_has_an_instrument__reverts(safe: Safe, instrument: int) -> None:
    with pytest.raises(Revert, match="vault: token listed already"):
        safe.vault.list_asset(FREE, safe.tokens[instrument], 1, sender=safe.timelock)


@pytest.mark.parametrize("address", ["0x" + "00" * 20, "0x" + "77" * 20])
def test_list_asset__no_contract_there__reverts(safe: Safe, address: str) -> None:
    with pytest.raises(Revert, match="vault: not a contract"):
        safe.vault.list_asset(FREE, address, 1, sender=safe.timelock)


def test_list_asset__contract_without_decimals__reverts(safe: Safe) -> None:
    with pytest.raises(Revert, match="vault: no decimals"):
        safe.vault.list_asset(FREE, safe.book, 1, sender=safe.timelock)


def test_list_asset__rebasing_token__reverts(safe: Safe) -> None:
    rebasing = Contract.deploy(safe.backend, "RebasingToken", sender=safe.issuer)
    with pytest.raises(Revert, match="vault: rebasing token"):
        safe.vault.list_asset(FREE, rebasing, 1, sender=safe.timelock)


@pytest.mark.parametrize(
    "view",
    [
        "sharesOf(address)",
        "scaledBalanceOf(address)",
        "creditsBalanceOf(address)",
        "balancePerShare()",
        "rewardMultiplier()",
    ],
)
def test_list_asset__any_view_of_a_rebasing_kind__reverts(safe: Safe, view: str) -> None:
    address = safe.backend.create(token_with(view), safe.issuer)
    with pytest.raises(Revert, match="vault: rebasing token"):
        safe.vault.list_asset(FREE, address, 1, sender=safe.timelock)


def test_list_asset__view_the_safe_does_not_know__is_listed(safe: Safe) -> None:
    """The control of the test above: what is refused is the view, not the contract around it."""
    address = safe.backend.create(token_with("uiMultiplier()"), safe.issuer)
    safe.vault.list_asset(FREE, address, 1, sender=safe.timelock)
    assert safe.vault.asset(FREE).decimals == 18


def token_with(view: str) -> bytes:
    """Creation code of a contract that answers `decimals()` and one more view with 18, and reverts otherwise."""
    from eth_utils import keccak

    selectors = [keccak(text=name)[:4] for name in ("decimals()", view)]
    head = b"\x5f\x35\x60\xe0\x1c"  # the selector
    tail = b"\x5f\x5f\xfd" + b"\x5b\x60\x12\x5f\x52\x60\x20\x5f\xf3"
    target = len(head) + 2 * 10 + 3
    tests = b"".join(b"\x80\x63" + selector + b"\x14\x60" + bytes([target]) + b"\x57" for selector in selectors)
    runtime = head + tests + tail
    return b"\x60" + bytes([len(runtime)]) + b"\x80\x60\x09\x5f\x39\x5f\xf3" + runtime


@pytest.mark.parametrize("role", ["guardian", "holder", "issuer"])
def test_list_asset__by_anybody_but_the_timelock__reverts(safe: Safe, candidate: Contract, role: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        safe.vault.list_asset(FREE, candidate, 1, sender=getattr(safe, role))
