# pragma version 0.4.3
"""
@title word_harness
@license AGPL-3.0-only
@author Prime Perps
@notice The internals of price_word, called from outside.
"""
from contracts.modules.oracle import price_word


@external
@pure
def pack(word: price_word.Word) -> uint256:
    return price_word._pack(word)


@external
@pure
def unpack(packed: uint256) -> price_word.Word:
    return price_word._unpack(packed)
