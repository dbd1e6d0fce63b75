# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title hostile_dollar
@license AGPL-3.0-only
@author Prime Perps
@notice An issuer's dollar of which everybody has what it says, and which does as it is told.
"""


told: uint256
answer: bool


@deploy
def __init__():
    self.answer = True


@external
def say(told: uint256, answer: bool):
    self.told = told
    self.answer = answer


@view
@external
def balanceOf(owner: address) -> uint256:
    return self.told


@external
def approve(spender: address, amount: uint256) -> bool:
    return self.answer


@external
def transfer(to: address, amount: uint256) -> bool:
    return self.answer
