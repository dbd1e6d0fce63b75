# pragma version 0.4.3
"""
@title settings
@license AGPL-3.0-only
@author Prime Perps
@notice What governance sets for the whole book, in the one slot that every margin check reads anyway.

        Word: 160 bits model, 16 bits maker fee, 16 bits taker fee (pips), 16 bits insurance share (bps), 8 bits paused.
"""
from contracts.interfaces import IPerpClearinghouse


TRADING: constant(uint256) = 1
WITHDRAWALS: constant(uint256) = 2
LIQUIDATION: constant(uint256) = 4
ALL: constant(uint256) = 7

# 0.5 %: no governance can take more than this from a fill.
FEE_MAX: constant(uint256) = 5_000
SHARE_MAX: constant(uint256) = 10_000

MODEL_MASK: constant(uint256) = 2**160 - 1
MAKER_OFFSET: constant(uint256) = 160
TAKER_OFFSET: constant(uint256) = 176
SHARE_OFFSET: constant(uint256) = 192
PAUSED_OFFSET: constant(uint256) = 208
MASK_16: constant(uint256) = 2**16 - 1


_word: uint256


@internal
@view
def _load() -> IPerpClearinghouse.Settings:
    word: uint256 = self._word
    return IPerpClearinghouse.Settings(
        model=convert(word & MODEL_MASK, address),
        maker_fee=(word >> MAKER_OFFSET) & MASK_16,
        taker_fee=(word >> TAKER_OFFSET) & MASK_16,
        insurance_share=(word >> SHARE_OFFSET) & MASK_16,
        paused=word >> PAUSED_OFFSET,
    )


@internal
@view
def _model() -> address:
    return convert(self._word & MODEL_MASK, address)


@internal
def _store(settings: IPerpClearinghouse.Settings):
    assert (
        settings.model.is_contract
        and max(settings.maker_fee, settings.taker_fee) <= FEE_MAX
        and settings.insurance_share <= SHARE_MAX
        and settings.paused <= ALL
    ), "settings: out of range"
    self._word = (
        convert(settings.model, uint256)
        | (settings.maker_fee << MAKER_OFFSET)
        | (settings.taker_fee << TAKER_OFFSET)
        | (settings.insurance_share << SHARE_OFFSET)
        | (settings.paused << PAUSED_OFFSET)
    )
    log IPerpClearinghouse.SettingsChanged(settings=settings)


@internal
@view
def _check_running(activity: uint256):
    assert (self._word >> PAUSED_OFFSET) & activity == 0, "settings: paused"
