"""set_model: another margin model, by the timelock; in force for the next check."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from tests.stage import address

from .conftest import UNDERLYINGS, Book, deploy


def _other_model(book: Book, lines: int = UNDERLYINGS) -> Contract:
    """The same formula, with a table that asks for twice the own-name shock of the first underlying."""
    system, deployer = book.stage.system, address("deployer")
    model = Contract.deploy(book.stage.backend, "MarginModel", 1, sender=deployer)
    model.grantRole(model.TIMELOCK_ROLE(), deployer, sender=deployer)
    table = [system.model.line(min(number, UNDERLYINGS - 1)) for number in range(lines)]
    table[0] = table[0]._replace(iota=2 * table[0].iota)
    staged = model.stage_table(system.model.globals(), table, sender=deployer)
    at = next(fields["table"] for name, fields in model.events(staged) if name == "TableStaged")
    model.use_table(at, sender=deployer)
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


def test_set_model__that_lacks_a_line_of_the_one_in_force__reverts(book: Book) -> None:
    """Whoever holds it could no longer be margined, nor liquidated."""
    with pytest.raises(Revert, match="clearing: no risk line"):
        book.contract.set_model(_other_model(book, UNDERLYINGS - 1), sender=address("timelock"))


def test_set_model__without_a_table__reverts(book: Book) -> None:
    blank = Contract.deploy(book.stage.backend, "MarginModel", 1, sender=address("deployer"))
    with pytest.raises(Revert, match="model: no table"):
        book.contract.set_model(blank, sender=address("timelock"))
    assert book.contract.settings().model == book.stage.system.model.address


def test_set_model__one_in_force_without_a_table__needs_one_before_it_can_be_replaced(book: Book) -> None:
    """What has no lines cannot be compared with: only a deployment can begin so."""
    blank = Contract.deploy(book.stage.backend, "MarginModel", 1, sender=address("deployer"))
    contract = deploy(book.stage, model=blank.address)
    contract.grantRole(contract.TIMELOCK_ROLE(), address("timelock"), sender=address("deployer"))
    with pytest.raises(Revert, match="model: no table"):
        contract.set_model(book.stage.system.model, sender=address("timelock"))


def test_set_model__more_lines__admits_what_had_none(book: Book) -> None:
    with pytest.raises(Revert, match="clearing: no risk line"):
        book.contract.list_market(UNDERLYINGS, 1, 1, 1, sender=address("timelock"))
    book.contract.set_model(_other_model(book, UNDERLYINGS + 1), sender=address("timelock"))
    book.contract.list_market(UNDERLYINGS, 1, 1, 1, sender=address("timelock"))
    assert book.contract.market(UNDERLYINGS).listed
