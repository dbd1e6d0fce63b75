"""Words coded by hand are what the general way makes of them, and what does not fit is refused."""

from __future__ import annotations

import pytest
from eth_abi import decode, encode
from eth_abi.exceptions import EncodingError
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from prime_perps.chain.contract import Contract
from prime_perps.chain.revm import RevmBackend

UNSIGNED = st.integers(0, 2**256 - 1)
SIGNED = st.integers(-(2**255), 2**255 - 1)


def _words(*names_and_types: str) -> list[dict[str, str]]:
    return [dict(zip(("name", "type"), entry.split(), strict=True)) for entry in names_and_types]


def _function(name: str, inputs: list[dict[str, str]], outputs: list[dict[str, object]]) -> dict[str, object]:
    return {"type": "function", "name": name, "inputs": inputs, "outputs": outputs, "stateMutability": "view"}


PAIR = {"name": "", "type": "tuple", "components": _words("gain int256", "size uint256")}
ABI = [
    _function("take", _words("a uint256", "b uint256"), _words("x int256")),
    _function("pair", [], [PAIR]),
    _function("flag", _words("a int256"), _words("x bool")),
]
THING = Contract(RevmBackend(), "0x" + "11" * 20, ABI)


@given(UNSIGNED, UNSIGNED)
def test_encode__unsigned_words__as_the_general_way(a, b):
    assert THING.take.encode(a, b) == keccak(text="take(uint256,uint256)")[:4] + encode(["uint256"] * 2, [a, b])


@pytest.mark.parametrize("value", [-1, 2**256, True, "1"])
def test_encode__no_word__refused(value):
    with pytest.raises(EncodingError):
        THING.take.encode(value, 0)


@given(SIGNED)
def test_encode__a_signed_word__as_the_general_way(a):
    assert THING.flag.encode(a)[4:] == encode(["int256"], [a])


@given(SIGNED)
def test_decode__one_signed_word__as_the_general_way(value):
    assert THING.take.decode(encode(["int256"], [value])) == value


@given(SIGNED, UNSIGNED)
def test_decode__a_struct_of_words__by_name(gain, size):
    answer = THING.pair.decode(encode(["(int256,uint256)"], [(gain, size)]))
    assert (answer.gain, answer.size) == decode(["(int256,uint256)"], encode(["(int256,uint256)"], [(gain, size)]))[0]


def test_decode__other_types__the_general_way():
    assert THING.flag.decode(encode(["bool"], [True])) is True


@pytest.mark.parametrize("output", [b"", bytes(31)])
def test_decode__too_short__refused(output):
    with pytest.raises(Exception, match=r"Tried to read|insufficient"):
        THING.take.decode(output)
