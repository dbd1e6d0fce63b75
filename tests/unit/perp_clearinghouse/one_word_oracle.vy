# pragma version 0.4.3
"""
@title one_word_oracle
@license AGPL-3.0-only
@author Prime Perps
@notice An oracle with one word for everything: also one with flags that no source of today's sets.
"""
from contracts.interfaces import IMarginModel

_word: uint256


@external
def set_word(word: uint256):
    self._word = word


@view
@external
def read(underlyings: DynArray[uint256, 32]) -> (DynArray[uint256, 32], IMarginModel.Closure):
    words: DynArray[uint256, 32] = []
    for _: uint256 in underlyings:
        words.append(self._word)
    return words, empty(IMarginModel.Closure)
