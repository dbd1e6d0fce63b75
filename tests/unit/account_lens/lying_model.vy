# pragma version 0.4.3
"""
@title lying_model
@license AGPL-3.0-only
@author Prime Perps
@notice A margin model that explains other numbers than it charges.
"""
from contracts.interfaces import IMarginModel

_charged: uint256
_explained: uint256


@external
def set_margins(charged: uint256, explained: uint256):
    self._charged = charged
    self._explained = explained


@view
@external
def line_count() -> uint256:
    return 64


@view
@external
def requirements(
    exposures: DynArray[IMarginModel.Exposure, 32], closure: IMarginModel.Closure, debt: uint256
) -> (uint256, uint256):
    return self._charged, 0


@view
@external
def explain(
    exposures: DynArray[IMarginModel.Exposure, 32], closure: IMarginModel.Closure, debt: uint256
) -> IMarginModel.Breakdown:
    terms: IMarginModel.Breakdown = empty(IMarginModel.Breakdown)
    terms.maintenance = self._explained
    return terms
