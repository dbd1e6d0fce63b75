"""What a broker remembers, over restarts, beside another process, and on a full disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prime_perps.issuer.inventory import Delivery, Position
from prime_perps.issuer.limits import Used
from prime_perps.issuer.quotes import Side
from prime_perps.issuer.store import Given, Open, StateUnusable, Store

OWNER = {"signer": "0xA", "chain": "1"}
ASSET = "0x" + "aa" * 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "broker.sqlite"


def given(
    number: int, *, key: str | None = None, quantity: int = 1, expiration: int = 100, side: Side = Side.BUY
) -> Given:
    return Given(number, "gateway", key, "{}", ASSET, side, quantity, expiration, f'"{number}"')


def add_all(store: Store, rows: list[Given]) -> None:
    with store.transaction():
        for row in rows:
            store.add(row)


def test_next_id__after_a_restart__goes_on(path: Path) -> None:
    first = Store(path, OWNER)
    with first.transaction():
        ids = [first.next_id(), first.next_id()]
    first.close()
    second = Store(path, OWNER)
    with second.transaction():
        assert second.next_id() == ids[1] + 1 == ids[0] + 2


def test_next_id__another_file__begins_elsewhere(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        store = Store(tmp_path / name, OWNER)
        with store.transaction():
            ids.add(store.next_id() >> 32)
    assert len(ids) == 2


def test_transaction__that_fails__leaves_nothing(path: Path) -> None:
    store = Store(path, OWNER)

    def fail() -> None:
        with store.transaction():
            store.put_used("x", Used(5, 1))
            store.add(given(store.next_id(), key="k"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.used("x") == Used()
    assert store.given("gateway", "k") is None


def test_add__same_key_twice__is_refused_by_the_file_itself(path: Path) -> None:
    store = Store(path, OWNER)
    with pytest.raises(StateUnusable, match="UNIQUE"):
        add_all(store, [given(1, key="k"), given(2, key="k")])
    assert store.given("gateway", "k") is None


def test_add__without_keys__any_number(path: Path) -> None:
    store = Store(path, OWNER)
    with store.transaction():
        store.add(given(1))
        store.add(given(2))


def test_open__until_closed__after_a_restart_too(path: Path) -> None:
    huge = 2**255
    store = Store(path, OWNER)
    add_all(store, [given(1, quantity=huge), given(2, side=Side.SELL), given(3, expiration=99)])
    with store.transaction():
        store.close_attestations([one for one in store.open() if one.id == 2])
    store.close()
    assert Store(path, OWNER).open() == [
        Open(1, ASSET, Side.BUY, huge, 100),
        Open(3, ASSET, Side.BUY, 1, 99),
    ]


def test_position_and_used__after_a_restart__are_the_same(path: Path) -> None:
    position = Position(2**200, 10**18, 5, 6, (Delivery(7, 8), Delivery(9, 10)))
    first = Store(path, OWNER)
    with first.transaction():
        first.put_position(ASSET, position)
        first.put_used("x", Used(2**200, 5))
    first.close()
    second = Store(path, OWNER)
    assert second.position(ASSET) == position
    assert second.used("x") == Used(2**200, 5)
    assert second.position("other") is None


def test_store__of_another_signer__is_refused(path: Path) -> None:
    Store(path, OWNER).close()
    with pytest.raises(StateUnusable, match="of another signer"):
        Store(path, {**OWNER, "signer": "0xB"})


def test_store__in_use_by_another_process__is_refused(path: Path) -> None:
    held = Store(path, OWNER)
    program = f"from prime_perps.issuer.store import Store; Store({str(path)!r}, {OWNER!r})"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "another process uses the state" in ended.stderr
    held.close()


def test_store__not_a_database__is_refused(path: Path) -> None:
    path.write_text("something else, and long enough to be looked at" * 20)
    with pytest.raises(StateUnusable, match="cannot use the state"):
        Store(path, OWNER)


def test_transaction__disk_full__nothing_is_kept_and_it_goes_on_later(path: Path) -> None:
    store = Store(path, OWNER)
    pages = store._execute("PRAGMA page_count").fetchone()[0]
    store._execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateUnusable, match="full"):
        add_all(store, [given(number, key=f"k{number}") for number in range(10_000)])
    assert store.given("gateway", "k0") is None
    store._execute("PRAGMA max_page_count = 100000")
    with store.transaction():
        store.add(given(1, key="k0"))
    assert store.given("gateway", "k0") == ("{}", '"1"')
