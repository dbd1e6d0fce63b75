# pragma version 0.4.3
"""
@title idle_swapper
@license AGPL-3.0-only
@author Prime Perps
@notice A swapper that takes nothing and gives nothing, and says that all is well.
"""


@external
def redeem(rwaAmount: uint256, receivingToken: address, minimumTokenReceived: uint256) -> uint256:
    return max_value(uint256)
