"""set_model: another margin model, by the timelock; in force for the next check."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from tests.stage import account, address

from .conftest import Book


def _other_model(book: Book) -> Contract:
    """The same formula with a table that asks for twice the own-name shock of the first underlying."""
    system, deployer = book.stage.system, address("deployer")
    model = Contract.deploy(book.stage.backend, "MarginModel", sender=deployer)
    model.grantRole(model.TIMELOCK_ROLE(), deployer, sender=deployer)
    lines = [system.model.line(entry.id) for entry in system.underlyings]
    lines[0] = lines[0]._replace(iota=2 * lines[0].iota)
    staged = model.stage_table(system.model.globals(), lines, sender=deployer)
    table = next(fields["table"] for name, fields in model.events(staged) if name == "TableStaged")
    model.use_table(table, sender=deployer)
    return model


def test_set_model__by_the_timelock__is_asked_from_now_on(book: Book) -> None:
    book.novate("100")
    before = book.margin("taker")
    model = _other_model(book)
    receipt = book.contract.set_model(model, sender=address("timelock"))
    settings = book.contract.settings()
    assert settings == (model.address, 100, 400, 5_000, 0)
    assert list(book.contract.events(receipt)) == [("SettingsChanged", {"settings": settings})]
    after = book.margin("taker")
    assert after.maintenance > before.maintenance
    assert (after.maintenance, after.initial) == model.requirements(
        [book.exposure("AAPL", book.size("taker"))], (0, 0, 0), 0
    )
    assert after.equity == before.equity


def test_set_model__without_code__reverts(book: Book) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        book.contract.set_model(address("attacker"), sender=address("timelock"))


@pytest.mark.parametrize("sender", ["attacker", "guardian", "deployer"])
def test_AC_1_set_model__not_by_the_timelock__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        book.contract.set_model(book.stage.system.model, sender=address(sender))


def test_set_model__one_without_a_table__stops_what_needs_margin_and_no_more(book: Book) -> None:
    empty = Contract.deploy(book.stage.backend, "MarginModel", sender=address("deployer"))
    book.contract.set_model(empty, sender=address("timelock"))
    with pytest.raises(Revert, match="model: no table"):
        book.novate("1")
    book.pay("taker", 1)
    book.debit(account("taker"), 255, 1, "taker")
