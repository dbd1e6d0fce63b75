"""Every function of the system that writes, called by somebody who has no right to anything but an account of his own.

An attempt is either refused, with the reason given here, or open to anybody, and then it must do no harm. The table is
complete: a test compares it with the contracts' ABIs, so that a new function cannot be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from prime_perps import orders
from prime_perps.accounts import CASH, token
from prime_perps.chain.contract import Contract
from prime_perps.errors import Revert
from prime_perps.orders import Basket, Fill, Leg, Order, SignedBasket, SignedOrder
from prime_perps.reports import Feed
from prime_perps.units import NANO, WAD
from tests.stage import AN_HOUR, UNLIMITED, account, address, key

from .preview import start_refusal
from .world import FEES, INSURANCE, SYMBOLS, Look, World

ATTACKER = "attacker"
NO_SALT = bytes(32)
MISSING_ROLE = "access_control: account is missing role"
TIMELOCK_ONLY = "roles: timelock only"
GUARDIAN_ONLY = "roles: guardian only"
NOT_AUTHORIZED = "accounts: not authorized"
NOT_THE_CALLER = "clearing: not the right caller"

Arguments = Callable[[World, str], tuple[Any, ...]]
Reason = Callable[[World, Look, str], str | None]


@dataclass(frozen=True)
class Attempt:
    """One call by the attacker; `part` is a field of Deployment, `victim` a role."""

    part: str
    function: str
    arguments: Arguments
    reason: Reason
    form: tuple[str, ...] = ()  # roles whose cash it may turn from one form into another; "victim" is one

    @property
    def name(self) -> str:
        return f"{self.part}.{self.function}"

    def changes_form_of(self, victim: str) -> set[str]:
        return {victim if role == "victim" else role for role in self.form}

    def run(self, world: World, look: Look, victim: str) -> None:
        """Call it, and see it refused or accepted as the table says."""
        contract: Contract = getattr(world.system, self.part)
        method = getattr(contract, self.function)
        arguments, reason = self.arguments(world, victim), self.reason(world, look, victim)
        if reason is None:
            world.count(method(*arguments, sender=address(ATTACKER)))
            return
        with pytest.raises(Revert, match=rf"^{re.escape(reason)}$"):
            method(*arguments, sender=address(ATTACKER))


def open_to_anybody(world: World, look: Look, victim: str) -> str | None:
    return None


def refused(reason: str) -> Reason:
    """Whatever the state of the world."""
    return lambda world, look, victim: reason


def nothing(world: World, victim: str) -> tuple[Any, ...]:
    return ()


def fixed(*arguments: Any) -> Arguments:
    return lambda world, victim: arguments


def on_victim(*arguments: Any) -> Arguments:
    return lambda world, victim: (account(victim), *arguments)


# when something is refused that depends on the state


def _withdrawal(world: World, look: Look, victim: str) -> str:
    return "settings: paused" if look.settings.paused & 2 else NOT_AUTHORIZED


def _submission(world: World, look: Look, victim: str) -> str | None:
    """What is not newer than the word is passed over unread."""
    return "oracle: too few signers" if look.words["AAPL"].time < look.time else None


def _start(world: World, look: Look, victim: str) -> str | None:
    return start_refusal(look, victim, world.engine.auction(account(victim)), world.engine.terms())


def _stop(world: World, look: Look, victim: str) -> str | None:
    margin = look.sheets[victim].margin
    if world.engine.auction(account(victim)).started_at == 0:
        return "engine: not running"
    return None if margin.equity >= margin.maintenance else "engine: still unhealthy"


def _backing(world: World, look: Look, victim: str) -> str:
    """Nobody's stablecoin but the sender's is pulled, and he has none."""
    covered = look.sheets[INSURANCE].margin.equity + max(look.sheets[FEES].margin.equity, 0) >= 0
    return "stablecoin: allowance too small" if covered else "fund: uncovered loss"


def _take(world: World, look: Look, victim: str) -> str:
    if not look.sheets[victim].liquidatable:
        return "engine: healthy"
    return "settings: paused" if look.settings.paused & 4 else NOT_AUTHORIZED


# what is passed


def _other_than(victim: str) -> str:
    return "maker" if victim == "holder" else "holder"


def _forged(world: World, victim: str, signer: str) -> SignedOrder:
    """An order for the victim's account that the attacker has signed."""
    order = Order(account(victim), 0, NANO, WAD, 1, world.stage.now() + AN_HOUR)
    chain, exchange = world.stage.backend.chain_id(), world.system.exchange.address
    return SignedOrder(order, address(signer), orders.sign(order, key(ATTACKER), chain, exchange).signature)


def _own_order(world: World, size: int) -> SignedOrder:
    order = Order(account(ATTACKER), 0, size, WAD, 1, world.stage.now() + AN_HOUR)
    return orders.sign(order, key(ATTACKER), world.stage.backend.chain_id(), world.system.exchange.address)


def _fill_for_victim(world: World, victim: str) -> tuple[Any, ...]:
    return _own_order(world, -NANO), account(victim), NANO, UNLIMITED


def _fill_of_forged(world: World, victim: str) -> tuple[Any, ...]:
    return _forged(world, victim, victim), account(ATTACKER), -NANO, 0


def _fill_of_own_signature(world: World, victim: str) -> tuple[Any, ...]:
    return _forged(world, victim, ATTACKER), account(ATTACKER), -NANO, 0


def _many_for_victim(world: World, victim: str) -> tuple[Any, ...]:
    return [Fill(_own_order(world, -NANO), NANO, UNLIMITED)], account(victim)


def _many_of_forged(world: World, victim: str) -> tuple[Any, ...]:
    return [Fill(_forged(world, victim, victim), -NANO, 0)], account(ATTACKER)


def _basket(world: World, role: str, signer: str) -> SignedBasket:
    """A basket of the role's account that the attacker has signed."""
    legs = Leg(0, NANO, WAD), Leg(1, -NANO, WAD)
    basket = Basket(account(role), legs, 1, world.stage.now() + AN_HOUR)
    chain, exchange = world.stage.backend.chain_id(), world.system.exchange.address
    return SignedBasket(basket, address(signer), orders.sign_basket(basket, key(ATTACKER), chain, exchange).signature)


def _basket_for_victim(world: World, victim: str) -> tuple[Any, ...]:
    return _basket(world, ATTACKER, ATTACKER), account(victim), WAD, UNLIMITED // 2


def _basket_forged(world: World, victim: str) -> tuple[Any, ...]:
    return _basket(world, victim, victim), account(ATTACKER), WAD, UNLIMITED // 2


def _basket_of_own_signature(world: World, victim: str) -> tuple[Any, ...]:
    return _basket(world, victim, ATTACKER), account(ATTACKER), WAD, UNLIMITED // 2


def _match_with_forged(world: World, victim: str) -> tuple[Any, ...]:
    return _own_order(world, -NANO), _match_order(world, victim), NANO


def _match_order(world: World, victim: str) -> SignedOrder:
    return _forged(world, victim, victim)


def _trade(world: World, victim: str) -> tuple[Any, ...]:
    return ((0, account(victim), account(ATTACKER), NANO, WAD, False, False),)


def _report(world: World, victim: str) -> tuple[Any, ...]:
    """A report of a moment ago that says what suits the attacker, signed by himself."""
    report = (0, 1, 0, 2, world.stage.now(), WAD)
    return ([(report, [])],)


def _old_report(world: World, victim: str) -> tuple[Any, ...]:
    """A report that was good once; older ones are passed over before their signatures are looked at."""
    return ([((0, 1, 0, 2, 1, WAD), [])],)


def _batch_of_victim(world: World, victim: str) -> tuple[Any, ...]:
    return [account(victim)], b""


def _model(world: World, victim: str) -> tuple[Any, ...]:
    table = world.tables[0]
    return table.globals, list(table.lines), world.system.model, world.stage.now()


def _take_into_another(world: World, victim: str) -> tuple[Any, ...]:
    state = world.book.state_counter(account(victim))
    return account(victim), account(_other_than(victim)), WAD, WAD, state


def _call_of_timelock(world: World, victim: str) -> tuple[Any, ...]:
    configurator = world.system.configurator
    data = configurator.set_treasury.encode(account(ATTACKER))
    return configurator.address, 0, data, NO_SALT, NO_SALT


def _call_in_batch(world: World, victim: str) -> tuple[Any, ...]:
    target, value, data, predecessor, salt = _call_of_timelock(world, victim)
    return [target], [value], [data], predecessor, salt


def _quote(world: World, side: int) -> tuple[Any, ...]:
    """Of an issuer that signs whatever the attacker wants."""
    return 1, 1, bytes(32), world.system.underlying("AAPL").token, WAD, WAD, 2**63, side, bytes(32)


def _mint(world: World, victim: str) -> tuple[Any, ...]:
    return account(victim), token(0), _quote(world, 0), b"", WAD, False


def _redeem(world: World, victim: str) -> tuple[Any, ...]:
    return account(victim), token(0), _quote(world, 1), b"", 0, True


def _redemption(world: World, look: Look, victim: str) -> str:
    """In this world no issuer is listed; with one, tests/unit/issuer_gateway tries the same."""
    if not look.sheets[victim].liquidatable:
        return "gateway: healthy"
    return "settings: paused" if look.settings.paused & 4 else "gateway: not listed"


def _delayed(arguments: Arguments) -> Arguments:
    return lambda world, victim: (*arguments(world, victim), world.system.timelock.get_minimum_delay())


def _roles(part: str, renounce: str) -> list[Attempt]:
    role = (1).to_bytes(32, "big")
    return [
        Attempt(part, "grantRole", fixed(role, address(ATTACKER)), refused(MISSING_ROLE)),
        Attempt(part, "revokeRole", fixed(role, address("guardian")), refused(MISSING_ROLE)),
        Attempt(part, "renounceRole", fixed(role, address("guardian")), refused(renounce)),
    ]


OTHERS_ROLE = "access_control: can only renounce roles for itself"
FOREVER = 2**63
OWN_ISSUER = (*[address(ATTACKER)] * 4, 1, False, 0, 1, True)

ATTEMPTS: list[Attempt] = [
    # the book
    Attempt("operators", "set_operator", on_victim(address(ATTACKER), 15, FOREVER), refused("accounts: owner only")),
    Attempt("clearinghouse", "settle", on_victim(), open_to_anybody, form=("victim",)),
    Attempt("clearinghouse", "distribute_fees", nothing, open_to_anybody, form=(INSURANCE, FEES, "treasury")),
    Attempt("clearinghouse", "accrue", nothing, open_to_anybody),
    Attempt("clearinghouse", "socialise", fixed(WAD), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "credit", on_victim(CASH, WAD, address("maker")), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "debit", on_victim(CASH, WAD, address("maker")), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "novate", _trade, refused(NOT_THE_CALLER)),
    Attempt(
        "clearinghouse",
        "move_slice",
        on_victim(account(ATTACKER), WAD, 0, address(ATTACKER)),
        refused(NOT_THE_CALLER),
    ),
    Attempt("clearinghouse", "move_cash", on_victim(account(ATTACKER), WAD), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "store_market", fixed(0, 0, 1, 1, True), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "store_other_token", fixed(200, 0, WAD), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "store_settings", fixed((address(ATTACKER), 0, 0, 0, 0)), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "store_treasury", fixed(account(ATTACKER)), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "defer_check", on_victim(), refused(NOT_THE_CALLER)),
    Attempt("clearinghouse", "check_deferred", on_victim(True), refused(NOT_THE_CALLER)),
    # the batcher
    Attempt("batcher", "with_deferred_checks", _batch_of_victim, refused("batch: not authorized")),
    # the gateway
    Attempt("gateway", "mint", _mint, refused(NOT_AUTHORIZED)),
    Attempt("gateway", "redeem", _redeem, _redemption),
    Attempt("gateway", "request_redemption", on_victim(token(0), WAD), refused(NOT_AUTHORIZED)),
    Attempt("gateway", "write_off", fixed(0), refused("gateway: no such receivable")),
    Attempt("gateway", "settle_receivable", fixed(0, 1, True), refused("roles: desk only")),
    Attempt("gateway", "change_dollars", fixed(token(0), 1), refused("roles: desk only")),
    Attempt("gateway", "set_listing", fixed(token(0), OWN_ISSUER), refused(TIMELOCK_ONLY)),
    Attempt("gateway", "set_enabled", fixed(token(0), False), refused(GUARDIAN_ONLY)),
    *_roles("gateway", OTHERS_ROLE),
    # what may be changed about it
    Attempt("configurator", "list_market", fixed(40, 1, 1, 1), refused(TIMELOCK_ONLY)),
    Attempt("configurator", "set_market", fixed(0, 0, 1, 1, True), refused(GUARDIAN_ONLY)),
    Attempt("configurator", "list_other_token", fixed(200, 0, WAD), refused(TIMELOCK_ONLY)),
    Attempt("configurator", "set_model", fixed(address(ATTACKER)), refused(GUARDIAN_ONLY)),
    Attempt("configurator", "set_fees", fixed(0, 0, 0), refused(TIMELOCK_ONLY)),
    Attempt("configurator", "set_treasury", fixed(account(ATTACKER)), refused(TIMELOCK_ONLY)),
    Attempt("configurator", "set_paused", fixed(7), refused(GUARDIAN_ONLY)),
    *_roles("configurator", OTHERS_ROLE),
    # the exchange
    Attempt("exchange", "fill", _fill_for_victim, refused(NOT_AUTHORIZED)),
    Attempt("exchange", "fill", _fill_of_forged, refused("orders: bad signature")),
    Attempt("exchange", "fill", _fill_of_own_signature, refused(NOT_AUTHORIZED)),
    Attempt("exchange", "fill_many", _many_for_victim, refused(NOT_AUTHORIZED)),
    Attempt("exchange", "fill_many", _many_of_forged, refused("orders: bad signature")),
    Attempt("exchange", "fill_basket", _basket_for_victim, refused(NOT_AUTHORIZED)),
    Attempt("exchange", "fill_basket", _basket_forged, refused("orders: bad signature")),
    Attempt("exchange", "fill_basket", _basket_of_own_signature, refused(NOT_AUTHORIZED)),
    Attempt("exchange", "match_orders", _match_with_forged, refused("orders: bad signature")),
    Attempt("exchange", "cancel", on_victim(1), refused(NOT_AUTHORIZED)),
    Attempt("exchange", "raise_nonce_floor", on_victim(2**31), refused("accounts: owner only")),
    # the safe
    Attempt("vault", "deposit", on_victim(CASH, 1), refused(NOT_AUTHORIZED)),
    Attempt("vault", "deposit", on_victim(token(0), 1), refused(NOT_AUTHORIZED)),
    Attempt("vault", "withdraw", on_victim(CASH, 1, address(ATTACKER)), _withdrawal),
    Attempt("vault", "list_asset", fixed(200, address(ATTACKER), 1), refused(TIMELOCK_ONLY)),
    Attempt("vault", "set_cap", fixed(CASH, 0), refused(GUARDIAN_ONLY)),
    Attempt("vault", "set_paused", fixed(True), refused(GUARDIAN_ONLY)),
    *_roles("vault", OTHERS_ROLE),
    # prices
    Attempt("oracle", "submit", _report, _submission),
    Attempt("oracle", "submit", _old_report, open_to_anybody),
    Attempt("oracle", "refresh", fixed(list(range(len(SYMBOLS)))), open_to_anybody),
    Attempt("oracle", "set_feed", fixed(0, Feed(0, address(ATTACKER))), refused(TIMELOCK_ONLY)),
    Attempt("oracle", "set_signer", fixed(address(ATTACKER), True), refused(TIMELOCK_ONLY)),
    Attempt("oracle", "set_signer", fixed(address("reporter 0"), False), refused(GUARDIAN_ONLY)),
    Attempt("oracle", "set_threshold", fixed(1), refused(TIMELOCK_ONLY)),
    Attempt("oracle", "set_threshold", fixed(8), refused(GUARDIAN_ONLY)),
    Attempt("oracle", "set_halt", fixed(0, True), refused(GUARDIAN_ONLY)),
    Attempt("oracle", "post_closures", fixed([], 2**31), refused("roles: calendar only")),
    Attempt("oracle", "add_closure", fixed(2**31, 2**31 + 7_200), refused(GUARDIAN_ONLY)),
    Attempt("oracle", "post_event", fixed(0, 2**31, 2**31 + 1), refused(GUARDIAN_ONLY)),
    Attempt("oracle", "remove_event", fixed(0), refused(TIMELOCK_ONLY)),
    Attempt("oracle", "remove_closure", fixed(2**31), refused(TIMELOCK_ONLY)),
    *_roles("oracle", OTHERS_ROLE),
    # margin
    Attempt("models", "make", _model, open_to_anybody),
    # interest
    Attempt("interest", "set_rate_floor", fixed(WAD // 10), refused(TIMELOCK_ONLY)),
    *_roles("interest", OTHERS_ROLE),
    # liquidation
    Attempt("engine", "start", on_victim(), _start),
    Attempt("engine", "stop", on_victim(), _stop),
    Attempt("engine", "take", _take_into_another, _take),
    Attempt("engine", "set_terms", fixed((WAD, WAD, 1, 1, 2 * WAD, 0, 0, 1, 1, 0, 0, 1, 0)), refused(TIMELOCK_ONLY)),
    Attempt("engine", "release", fixed(WAD), refused("engine: fund only")),
    *_roles("engine", OTHERS_ROLE),
    # insurance
    Attempt("insurance_fund", "deposit", fixed(10**6, address(ATTACKER)), _backing),
    Attempt("insurance_fund", "request_withdrawal", fixed(1), refused("fund: not enough shares")),
    Attempt("insurance_fund", "withdraw", fixed(address(ATTACKER)), refused("fund: not ready")),
    Attempt("insurance_fund", "set_terms", fixed((WAD, 86_400, 3_600)), refused(TIMELOCK_ONLY)),
    *_roles("insurance_fund", OTHERS_ROLE),
    # governance
    Attempt("timelock", "schedule", _delayed(_call_of_timelock), refused(MISSING_ROLE)),
    Attempt("timelock", "schedule_batch", _delayed(_call_in_batch), refused(MISSING_ROLE)),
    Attempt("timelock", "cancel", fixed(NO_SALT), refused(MISSING_ROLE)),
    Attempt("timelock", "execute", _call_of_timelock, refused(MISSING_ROLE)),
    Attempt("timelock", "execute_batch", _call_in_batch, refused(MISSING_ROLE)),
    Attempt("timelock", "update_delay", fixed(0), refused("timelock_controller: caller must be timelock")),
    Attempt("timelock", "set_role_admin", fixed(NO_SALT, NO_SALT), refused(MISSING_ROLE)),
    *_roles("timelock", OTHERS_ROLE),
]
