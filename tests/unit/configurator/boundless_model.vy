# pragma version 0.4.3
"""
@title boundless_model
@license AGPL-3.0-only
@author Prime Perps
@notice A margin model that has a line for everything: what the book lists is then held to the book's own bounds.
"""


@view
@external
def line_count() -> uint256:
    return max_value(uint256)
