"""The stand-in for a tokenized stock and its issuer's compliance registry: pause, compliance, minters and burners."""

from __future__ import annotations

import pytest
from eth_utils import keccak

from prime_perps.chain import Contract, Receipt
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert
from prime_perps.units import WAD


@pytest.fixture
def compliance(backend: RevmBackend, issuer: str) -> Contract:
    return Contract.deploy(backend, "IssuerCompliance", sender=issuer)


@pytest.fixture
def stock(backend: RevmBackend, issuer: str, holder: str, spender: str, compliance: Contract) -> Contract:
    stock = Contract.deploy(backend, "StockToken", "NVIDIA (Devnet)", "NVDAon", compliance, sender=issuer)
    stock.mint(holder, 100 * WAD, sender=issuer)
    stock.approve(spender, 50 * WAD, sender=holder)
    return stock


def checked(compliance: Contract, receipt: Receipt) -> list[str]:
    return [fields["account"] for name, fields in compliance.events(receipt) if name == "Checked"]


def test_metadata__always__is_what_the_issuer_named(stock: Contract, compliance: Contract) -> None:
    assert (stock.symbol(), stock.decimals()) == ("NVDAon", 18)
    assert stock.compliance() == compliance.address


def test_transfer__compliant_parties__moves_the_amount(stock: Contract, holder: str, receiver: str) -> None:
    receipt = stock.transfer(receiver, 30 * WAD, sender=holder)
    assert (stock.balanceOf(holder), stock.balanceOf(receiver)) == (70 * WAD, 30 * WAD)
    assert list(stock.events(receipt)) == [("Transfer", {"sender": holder, "receiver": receiver, "value": 30 * WAD})]


def test_transfer__always__asks_about_sender_and_receiver(
    stock: Contract, compliance: Contract, holder: str, receiver: str
) -> None:
    receipt = stock.transfer(receiver, WAD, sender=holder)
    asked = [("Checked", {"token": stock.address, "account": account}) for account in (holder, receiver)]
    assert list(compliance.events(receipt)) == asked


def test_transfer_from__by_a_third_party__asks_about_all_three(
    stock: Contract, compliance: Contract, holder: str, spender: str, receiver: str
) -> None:
    receipt = stock.transferFrom(holder, receiver, WAD, sender=spender)
    assert checked(compliance, receipt) == [spender, holder, receiver]
    assert stock.allowance(holder, spender) == 49 * WAD


def test_transfer_from__by_the_receiver__asks_about_both(
    stock: Contract, compliance: Contract, holder: str, spender: str
) -> None:
    receipt = stock.transferFrom(holder, spender, WAD, sender=spender)
    assert checked(compliance, receipt) == [holder, spender]


@pytest.mark.parametrize("blocked", ["holder", "receiver", "spender"])
def test_transfer_from__any_party_blocked__reverts(
    stock: Contract,
    compliance: Contract,
    issuer: str,
    holder: str,
    spender: str,
    receiver: str,
    blocked: str,
    request: pytest.FixtureRequest,
) -> None:
    compliance.set_blocked(request.getfixturevalue(blocked), True, sender=issuer)
    with pytest.raises(Revert, match="compliance: blocked"):
        stock.transferFrom(holder, receiver, WAD, sender=spender)


def test_transfer_from__beyond_the_allowance__reverts(
    stock: Contract, holder: str, spender: str, receiver: str
) -> None:
    with pytest.raises(Revert, match="erc20: insufficient allowance"):
        stock.transferFrom(holder, receiver, 50 * WAD + 1, sender=spender)


def test_check__asked_without_leave_to_write__fails(backend: RevmBackend, compliance: Contract, holder: str) -> None:
    probe = backend.create(static_caller(compliance.address, holder), holder)
    assert int.from_bytes(backend.call(probe, b""), "big") == 0


def static_caller(target: str, account: str) -> bytes:
    """Creation code of a contract that answers whether a static call of `check(account)` succeeds."""
    calldata = keccak(text="check(address)")[:4] + bytes.fromhex(account[2:]).rjust(32, b"\0")
    store = b"\x7f" + calldata[:32] + b"\x5f\x52" + b"\x7f" + calldata[32:].ljust(32, b"\0") + b"\x60\x20\x52"
    ask = b"\x5f\x5f\x60\x24\x5f\x73" + bytes.fromhex(target[2:]) + b"\x5a\xfa"
    runtime = store + ask + b"\x5f\x52\x60\x20\x5f\xf3"
    return b"\x60" + bytes([len(runtime)]) + b"\x80\x60\x09\x5f\x39\x5f\xf3" + runtime


def test_set_paused__true__stops_transfers_mints_and_burns_but_not_approvals(
    stock: Contract, issuer: str, holder: str, spender: str, receiver: str
) -> None:
    stock.set_burner(issuer, True, sender=issuer)
    stock.set_paused(True, sender=issuer)
    for refused in (
        lambda: stock.transfer(receiver, 1, sender=holder),
        lambda: stock.transferFrom(holder, receiver, 1, sender=spender),
        lambda: stock.mint(receiver, 1, sender=issuer),
        lambda: stock.burn(holder, 1, sender=issuer),
    ):
        with pytest.raises(Revert, match="token: paused"):
            refused()
    stock.approve(spender, 7, sender=holder)
    assert stock.allowance(holder, spender) == 7
    stock.set_paused(False, sender=issuer)
    stock.transfer(receiver, 1, sender=holder)


def test_mint__by_a_named_minter__adds_to_the_supply(stock: Contract, issuer: str, spender: str, receiver: str) -> None:
    stock.set_minter(spender, True, sender=issuer)
    stock.mint(receiver, WAD, sender=spender)
    assert stock.balanceOf(receiver) == WAD
    assert stock.totalSupply() == 101 * WAD


def test_mint__by_anybody_else__reverts(stock: Contract, attacker: str) -> None:
    with pytest.raises(Revert, match="token: minter only"):
        stock.mint(attacker, 1, sender=attacker)


def test_mint__to_a_blocked_receiver__reverts(
    stock: Contract, compliance: Contract, issuer: str, receiver: str
) -> None:
    compliance.set_blocked(receiver, True, sender=issuer)
    with pytest.raises(Revert, match="compliance: blocked"):
        stock.mint(receiver, 1, sender=issuer)


def test_burn__by_a_burner__needs_no_allowance(stock: Contract, issuer: str, holder: str, receiver: str) -> None:
    stock.set_burner(receiver, True, sender=issuer)
    stock.burn(holder, 40 * WAD, sender=receiver)
    assert stock.balanceOf(holder) == stock.totalSupply() == 60 * WAD


def test_burn__even_by_the_owner_without_the_role__reverts(stock: Contract, issuer: str, holder: str) -> None:
    with pytest.raises(Revert, match="token: burner only"):
        stock.burn(holder, 1, sender=issuer)


def test_burn__from_a_blocked_holder__reverts(stock: Contract, compliance: Contract, issuer: str, holder: str) -> None:
    stock.set_burner(issuer, True, sender=issuer)
    compliance.set_blocked(holder, True, sender=issuer)
    with pytest.raises(Revert, match="compliance: blocked"):
        stock.burn(holder, 1, sender=issuer)


def test_set_blocked__false__lets_the_address_move_again(
    stock: Contract, compliance: Contract, issuer: str, holder: str, receiver: str
) -> None:
    compliance.set_blocked(holder, True, sender=issuer)
    compliance.set_blocked(holder, False, sender=issuer)
    stock.transfer(receiver, WAD, sender=holder)


def test_set_multiplier__split__moves_no_balance(stock: Contract, issuer: str, holder: str) -> None:
    assert stock.multiplier() == WAD
    receipt = stock.set_multiplier(10 * WAD, sender=issuer)
    assert list(stock.events(receipt)) == [("MultiplierSet", {"multiplier": 10 * WAD})]
    assert (stock.multiplier(), stock.balanceOf(holder), stock.totalSupply()) == (10 * WAD, 100 * WAD, 100 * WAD)


def test_set_multiplier__zero__reverts(stock: Contract, issuer: str) -> None:
    with pytest.raises(Revert, match="stock: bad multiplier"):
        stock.set_multiplier(0, sender=issuer)


def test_owner_only__anybody_else__reverts(stock: Contract, compliance: Contract, attacker: str, holder: str) -> None:
    for refused in (
        lambda: stock.set_multiplier(2 * WAD, sender=attacker),
        lambda: stock.set_paused(True, sender=attacker),
        lambda: stock.set_burner(attacker, True, sender=attacker),
        lambda: stock.set_minter(attacker, True, sender=attacker),
        lambda: compliance.set_blocked(holder, True, sender=attacker),
    ):
        with pytest.raises(Revert, match="ownable: caller is not the owner"):
            refused()


def test_events__everything_the_owner_sets__says_so(
    stock: Contract, compliance: Contract, issuer: str, holder: str
) -> None:
    assert list(stock.events(stock.set_paused(True, sender=issuer))) == [("PausedSet", {"paused": True})]
    named = {"burner": holder, "allowed": True}
    assert list(stock.events(stock.set_burner(holder, True, sender=issuer))) == [("BurnerSet", named)]
    blocked = {"account": holder, "blocked": True}
    receipt = compliance.set_blocked(holder, True, sender=issuer)
    assert list(compliance.events(receipt)) == [("BlockedSet", blocked)]
