"""with_deferred_checks: anything in between, initial margin at the end, and nothing to be seen until then."""

from __future__ import annotations

import pytest

from prime_perps.accounts import Permission
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from tests.stage import account, address

from .conftest import Batches


def test_with_deferred_checks__money_after_the_trade__is_one_batch(batches: Batches) -> None:
    batches.deliver(10_000)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        batches.call(batches.stage.system.exchange.fill, *_fill(batches, "100"))
    batches.run(batches.buy("100"), batches.deposit(10_000))
    margin = batches.margin
    assert margin.equity >= margin.initial > 0


def test_with_deferred_checks__not_enough_money_in_the_end__undoes_all__CH_4(batches: Batches) -> None:
    batches.deliver(100)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        batches.run(batches.buy("100"), batches.deposit(100))
    assert batches.margin == (0,) * 11


def test_with_deferred_checks__there_and_back__needs_only_its_fees(batches: Batches) -> None:
    """Ten thousand shares for an instant, with 3,000 USD for fees and nothing for margin."""
    batches.fund(3_000)
    batches.run(batches.buy("10000"), batches.buy("-10000"))
    assert batches.margin.maintenance == 0
    assert batches.stage.position("maker", "AAPL").size == 0


def test_with_deferred_checks__withdrawn_and_put_back__is_allowed(batches: Batches) -> None:
    batches.fund(10_000)
    batches.run(batches.buy("100"))
    batches.run(batches.withdraw(9_000), batches.deposit(9_000))
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        batches.run(batches.withdraw(9_000), batches.deposit(1_000))


def test_with_deferred_checks__other_accounts__are_checked_at_once(batches: Batches) -> None:
    """The maker is not the caller's: his margin is checked with each fill."""
    batches.fund(3_000)
    batches.stage.fund("taker", "10")
    order = batches.stage.order("taker", "AAPL", "-1000")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        batches.run(
            batches.step(batches.stage.system.exchange.fill, order, batches.account, 1_000 * 10**9, 2**256 - 1),
            batches.buy("-1000"),
        )


# below initial margin when it begins


@pytest.fixture
def poor(batches: Batches) -> Batches:
    """Long 100 AAPL and 100 IBM, below initial and above maintenance margin."""
    batches.fund(8_000)
    batches.run(batches.buy("100"), batches.buy("100", "IBM"))
    batches.stage.publish(AAPL="98")
    batches.stage.settle_slow_prices()
    margin = batches.margin
    assert margin.maintenance <= margin.equity < margin.initial
    return batches


def test_with_deferred_checks__less_risk_and_no_less_healthy__is_not_enough__CH_4(poor: Batches) -> None:
    """It would be for one trade: in a batch somebody could have changed a price in between."""
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        poor.run(poor.buy("-5", "IBM"))
    poor.call(poor.stage.system.exchange.fill, *_fill(poor, "-5", "IBM"))
    poor.run(poor.buy("-50", "IBM"))


# what can be seen


def test_with_deferred_checks__margin__is_not_told_half_way(batches: Batches) -> None:
    batches.fund(10_000)
    margin = batches.stage.system.clearinghouse.margin
    with pytest.raises(Revert, match=r"^risk: checks deferred$"):
        batches.run(batches.step(margin, batches.account))
    batches.run(batches.step(margin, account("maker")))


def test_with_deferred_checks__auction_of_an_account_in_it__cannot_start(batches: Batches) -> None:
    """Or an owner could run the clock of a reward on an account that is insolvent for an instant."""
    batches.fund(10_000)
    batches.run(batches.buy("100"))
    with pytest.raises(Revert, match=r"^risk: checks deferred$"):
        batches.run(
            batches.withdraw(9_900),
            batches.step(batches.stage.system.engine.start, batches.account),
            batches.deposit(9_900),
        )


def test_with_deferred_checks__slice_of_an_account_in_it__cannot_be_taken(batches: Batches) -> None:
    batches.fund(10_000)
    batches.run(batches.buy("100"))
    other = (batches.account & ~(2**96 - 1)) | 1
    state = batches.stage.system.clearinghouse.state_counter(batches.account) + 1
    take = batches.step(batches.stage.system.engine.take, batches.account, other, 10**18, 10**18, state)
    with pytest.raises(Revert, match=r"^risk: checks deferred$"):
        batches.run(batches.withdraw(9_900), take, batches.deposit(9_900))


def test_with_deferred_checks__afterwards__is_told_and_checked_again(batches: Batches) -> None:
    batches.fund(10_000)
    batches.run(batches.buy("100"))
    assert batches.margin.initial > 0
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        batches.call(batches.stage.system.vault.withdraw, batches.account, 255, 9_900 * 10**6, batches.actor.address)


# who may, and with what


def test_with_deferred_checks__somebody_elses_account__reverts(batches: Batches) -> None:
    with pytest.raises(Revert, match=r"^batch: not authorized$"):
        batches.run(accounts=[batches.account, account("maker")])


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        (Permission.TRADE, True),
        (Permission.LIQUIDATE, True),
        (Permission.DEPOSIT | Permission.WITHDRAW, False),
    ],
)
def test_with_deferred_checks__operator__needs_to_trade_or_liquidate(
    batches: Batches, permission: Permission, allowed: bool
) -> None:
    expiry = batches.stage.now() + 60
    grant = account("maker"), batches.actor.address, int(permission), expiry
    batches.stage.system.operators.set_operator(*grant, sender=address("maker"))
    if allowed:
        batches.run(accounts=[account("maker")])
        batches.stage.warp(61)
    with pytest.raises(Revert, match=r"^batch: not authorized$"):
        batches.run(accounts=[account("maker")])


def test_with_deferred_checks__account_named_twice__reverts(batches: Batches) -> None:
    with pytest.raises(Revert, match=r"^risk: checks deferred$"):
        batches.run(accounts=[batches.account, batches.account])


def test_with_deferred_checks__no_account__reverts(batches: Batches) -> None:
    with pytest.raises(Revert, match=r"^batch: no account$"):
        batches.run(accounts=[])


def test_with_deferred_checks__batch_in_a_batch__reverts(batches: Batches) -> None:
    batcher = batches.stage.system.batcher
    with pytest.raises(Revert):
        batches.run(batches.step(batcher.with_deferred_checks, [batches.account + 1], b""))
    batches.run(accounts=[batches.account + 1])


def test_with_deferred_checks__caller_without_code__reverts(batches: Batches) -> None:
    with pytest.raises(Revert):
        batches.stage.system.batcher.with_deferred_checks([account("maker")], b"", sender=address("maker"))


def test_with_deferred_checks__several_accounts_of_one_owner__all_are_checked(batches: Batches) -> None:
    second = batches.account + 1
    batches.fund(10_000)
    batches.deliver(5_000)
    vault = batches.stage.system.vault
    order = batches.stage.order("maker", "AAPL", "-100")
    fill = batches.step(batches.stage.system.exchange.fill, order, second, 100 * 10**9, 2**256 - 1)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        batches.run(batches.buy("1"), fill, accounts=[batches.account, second])
    batches.run(
        batches.buy("1"),
        fill,
        batches.step(vault.deposit, second, 255, 5_000 * 10**6),
        accounts=[batches.account, second],
    )


def test_deploy__not_where_the_clearinghouse_expects_it__reverts(batches: Batches) -> None:
    stage = batches.stage
    with pytest.raises(Revert, match=r"^batch: not the one expected$"):
        Contract.deploy(stage.backend, "Batcher", stage.system.clearinghouse, sender=address("attacker"))
    assert stage.system.batcher.clearinghouse() == stage.system.clearinghouse.address


def _fill(batches: Batches, size: str, symbol: str = "AAPL") -> tuple[object, ...]:
    order = batches.stage.order("maker", symbol, str(-int(size)))
    return order, batches.account, int(size) * 10**9, 0 if size.startswith("-") else 2**256 - 1
