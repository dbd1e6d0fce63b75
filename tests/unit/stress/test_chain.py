"""The in-process chain answers keepers as a node would, and its clock stands still."""

from __future__ import annotations

import pytest

from prime_perps.chain.contract import Contract
from prime_perps.errors import Revert
from prime_perps.stress.chain import InProcess

START = 1_600_000_000
OWNER, HOLDER = "0x" + "11" * 20, "0x" + "22" * 20


@pytest.fixture
def chain() -> InProcess:
    return InProcess(START)


@pytest.fixture
def coin(chain) -> Contract:
    return Contract.deploy(chain, "Stablecoin", sender=OWNER)


def test_send__clock_stands_still_and_each_is_a_block(chain, coin):
    before = chain.block_number()
    for _ in range(3):
        coin.mint(HOLDER, 1, sender=OWNER)
    assert chain.timestamp() == START
    assert chain.block_number() == before + 3


def test_warp__to_an_instant__a_block_of_that_time(chain):
    before = chain.block_number()
    chain.warp(START + 60)
    assert (chain.timestamp(), chain.block_number()) == (START + 60, before + 1)
    assert chain.block() == {
        "number": hex(before + 1),
        "hash": hex(before + 1),
        "timestamp": hex(START + 60),
    }


def test_get_logs__of_a_range__those_of_its_blocks_by_address_and_topic(chain, coin):
    first = chain.block_number() + 1
    coin.mint(HOLDER, 5, sender=OWNER)
    coin.transfer(OWNER, 2, sender=HOLDER)
    last = chain.block_number()
    logs = chain.get_logs(first, last, [coin.address])
    assert [coin.decode_log(log)[1]["value"] for log in logs] == [5, 2]
    assert len(chain.get_logs(last, last, [coin.address])) == 1
    assert chain.get_logs(first, last, [HOLDER]) == []
    topic = "0x" + logs[0].topics[0].hex()
    assert len(chain.get_logs(first, last, [coin.address], [[topic]])) == 2
    assert chain.get_logs(first, last, [coin.address], [["0x" + "00" * 32]]) == []


def test_call_many__answers__are_those_of_now_not_of_an_earlier_block(chain, coin):
    asked = [(coin.address, coin.balanceOf.encode(HOLDER))]
    assert coin.balanceOf.decode(chain.call_many(asked)[0]) == 0
    coin.mint(HOLDER, 7, sender=OWNER)
    assert coin.balanceOf.decode(chain.call_many(asked)[0]) == 7


def test_call_many__a_refused_call__is_its_revert(chain, coin):
    (answer,) = chain.call_many([(coin.address, coin.transfer.encode(OWNER, 1))])
    assert isinstance(answer, Revert)
