"""deposit: shares of the cash of insurance, for what it has grown by."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH
from prime_perps.chain.contract import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.deployment import Deployment, deploy
from prime_perps.errors import Revert
from prime_perps.units import wad
from tests.stage import address, parameters

from .conftest import Backing

ZERO = "0x" + "00" * 20
SAYS_NO = 2  # HostileToken.Answer


def test_deposit__first__gets_a_share_a_dollar_and_insurance_the_cash(backing: Backing) -> None:
    receipt = backing.deposit("1000")
    assert backing.cash == wad(1_000)
    assert backing.shares() == backing.fund.total_shares() == wad(1_000)
    assert backing.one("Deposited", receipt) == {
        "sender": address("backer"),
        "backer": address("backer"),
        "amount": 1_000 * 10**6,
        "shares": wad(1_000),
    }
    assert backing.stablecoin.balanceOf(backing.fund) == 0


def test_deposit__after_gains__is_dearer_and_earlier_backers_keep_them(backing: Backing) -> None:
    backing.deposit("1000")
    backing.give("500")
    backing.deposit("1500", "rival")
    assert backing.worth() == pytest.approx(wad(1_500), rel=1e-3)
    assert backing.worth("rival") == pytest.approx(wad(1_500), abs=10**4)


def test_deposit__fees_not_distributed_yet__are_the_earlier_backers(backing: Backing) -> None:
    backing.deposit("1000")
    configurator, stage = backing.auctions.stage.system.configurator, backing.auctions.stage
    stage.govern(configurator.set_fees, 0, 1_000, 10_000)
    stage.fund("taker", "1000000")
    stage.trade("maker", "taker", "SPY", "1000")
    backing.deposit("1000", "rival")
    assert backing.worth() == pytest.approx(wad(1_125), rel=1e-3)
    assert backing.worth("rival") == pytest.approx(wad(1_000), rel=1e-6)


def test_deposit__for_somebody_else__gives_him_the_shares(backing: Backing) -> None:
    backing.deposit("1")
    backing.stablecoin.mint(address("backer"), 10**6, sender=address("deployer"))
    backing.fund.deposit(10**6, address("rival"), sender=address("backer"))
    assert backing.shares("rival") == wad(1)


def test_deposit__for_nobody__reverts(backing: Backing) -> None:
    with pytest.raises(Revert, match=r"^fund: bad backer$"):
        backing.fund.deposit(10**6, ZERO, sender=address("backer"))


def test_deposit__not_approved__reverts(backing: Backing) -> None:
    with pytest.raises(Revert):
        backing.fund.deposit(10**6, address("backer"), sender=address("backer"))


def test_deposit__gift_before_a_victim__costs_the_giver_and_nobody_else(backing: Backing) -> None:
    """The dollar that is nobody's takes the gift; a deposit is not rounded away."""
    backing.deposit("0.000001", "attacker")
    backing.give("1000000")
    backing.deposit("1000", "backer")
    assert backing.worth() == pytest.approx(wad(1_000), rel=1e-9)
    assert backing.worth("attacker") <= wad(2)


def test_deposit__beyond_the_vaults_cap__reverts(backing: Backing) -> None:
    backing.auctions.stage.system.vault.set_cap(CASH, 0, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^vault: cap reached$"):
        backing.deposit("1")


def test_deposit__loss_uncovered__reverts(backing: Backing) -> None:
    backing.auctions.without_cash("maker", "keeper", "rival")
    backing.auctions.distress("-5000", "10000")
    backing.auctions.take()
    assert backing.cash < 0
    with pytest.raises(Revert, match=r"^fund: uncovered loss$"):
        backing.deposit("1000")


def test_deposit__after_a_loss_of_all__old_shares_are_void_once_worth_nothing(backing: Backing) -> None:
    """4,000 shares of a dollar are worth more than a billionth each; 1,600,000,000 then are."""
    backing.deposit("4000")
    backing.lose("5000")
    assert backing.worth() < 10**7
    backing.deposit("400000", "rival")
    assert (backing.fund.generation(), backing.worth()) == (0, pytest.approx(wad(1), rel=1e-3))
    assert backing.worth("rival") == pytest.approx(wad(400_000), rel=1e-3)
    backing.auctions.stage.fund("keeper", "5000000")
    backing.lose("500000", "taker")
    backing.request(role="rival")
    voided = backing.fund.total_shares()
    receipt = backing.deposit("1000", "maker")
    assert backing.one("SharesVoided", receipt) == {"generation": 0, "shares": voided}
    assert backing.fund.generation() == 1
    assert (backing.shares(), backing.shares("rival"), backing.shares("maker")) == (
        0,
        0,
        pytest.approx(wad(1_000), rel=1e-9),
    )
    assert backing.fund.request_of(address("rival")).shares == 0
    assert backing.worth("maker") == pytest.approx(wad(1_000), rel=1e-6)


def test_deposit__leaves_no_approval__behind(backing: Backing) -> None:
    backing.deposit("1")
    assert backing.stablecoin.allowance(backing.fund, backing.auctions.stage.system.vault) == 0


def hostile() -> tuple[Deployment, Contract]:
    """A system whose stablecoin does what it is told, and a backer with 1 USD of it."""
    backend, deployer = RevmBackend(), address("deployer")
    token = Contract.deploy(backend, "HostileToken", 6, sender=deployer)
    given = parameters()
    system = deploy(backend, deployer, given | {"cash": given["cash"] | {"token": token.address}})
    token.mint(address("backer"), 10**6, sender=deployer)
    return system, token


def test_deposit__stablecoin_returns_false__reverts() -> None:
    system, token = hostile()
    token.set_answer(SAYS_NO, sender=address("deployer"))
    with pytest.raises(Revert, match=r"^fund: transfer failed$"):
        system.insurance_fund.deposit(10**6, address("backer"), sender=address("backer"))


def test_deposit__somebody_else_pays_insurance_meanwhile__is_no_share_of_the_backers() -> None:
    system, token = hostile()
    insurance = system.clearinghouse.insurance_account()
    token.mint(token, 5 * 10**6, sender=address("deployer"))
    token.arm(system.vault, system.vault.deposit.encode(insurance, CASH, 5 * 10**6), sender=address("deployer"))
    system.insurance_fund.deposit(10**6, address("backer"), sender=address("backer"))
    assert token.reentry_succeeded()
    assert system.clearinghouse.money(insurance).cash == wad(6)
    assert system.insurance_fund.shares_of(address("backer")) == wad(1)


@pytest.mark.parametrize("function", ["deposit", "withdraw"])
def test_deposit__stablecoin_calls_back__finds_the_fund_locked(function: str) -> None:
    system, token = hostile()
    fund = system.insurance_fund
    payload = fund.deposit.encode(1, token.address) if function == "deposit" else fund.withdraw.encode(token.address)
    token.mint(token, 1, sender=address("deployer"))
    token.arm(fund, payload, sender=address("deployer"))
    fund.deposit(10**6, address("backer"), sender=address("backer"))
    assert not token.reentry_succeeded()
    assert fund.total_shares() == wad(1)


def test_deploy__not_where_the_engine_expects_it__reverts(backing: Backing) -> None:
    book, terms = backing.auctions.book, backing.fund.terms()
    with pytest.raises(Revert, match=r"^fund: not the one expected$"):
        Contract.deploy(backing.auctions.stage.backend, "InsuranceFund", book, terms, sender=address("attacker"))
