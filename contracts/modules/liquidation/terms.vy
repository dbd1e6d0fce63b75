# pragma version 0.4.3
"""
@title terms
@license AGPL-3.0-only
@author Prime Perps
@notice What auctions go by, in two words, as every slice reads all of it. Fields from the low bit up:

        first   64 bits  start price, 64 knee price, 64 target health
                20 bits  first phase, 20 second phase, 20 lapse
        second  77 bits  whole below, 77 smallest slice
                20 bits  reward phase
                17 bits  throttle interest, 20 throttle depth, 12 throttle window
                14 bits  insurance share
"""
from contracts.interfaces import ILiquidationEngine


WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10**4
PHASE_MAX: constant(uint256) = 7 * 86_400
TARGET_MAX: constant(uint256) = 2 * WAD
SMALL_MAX: constant(uint256) = 100_000 * WAD
INTEREST_MAX: constant(uint256) = 10 * BPS
DEPTH_MAX: constant(uint256) = 100 * BPS
# With the doubt of a reopening less than the shortest closure: the throttle relies on it.
WINDOW_MAX: constant(uint256) = 1_800

PRICE_MASK: constant(uint256) = 2**64 - 1
TIME_MASK: constant(uint256) = 2**20 - 1
MONEY_MASK: constant(uint256) = 2**77 - 1

KNEE_AT: constant(uint256) = 64
TARGET_AT: constant(uint256) = 128
FIRST_AT: constant(uint256) = 192
SECOND_AT: constant(uint256) = 212
LAPSE_AT: constant(uint256) = 232

SMALLEST_AT: constant(uint256) = 77
REWARD_AT: constant(uint256) = 154
INTEREST_AT: constant(uint256) = 174
DEPTH_AT: constant(uint256) = 191
WINDOW_AT: constant(uint256) = 211
SHARE_AT: constant(uint256) = 223

_words: uint256[2]


@internal
@view
def _load() -> ILiquidationEngine.Terms:
    first: uint256 = self._words[0]
    second: uint256 = self._words[1]
    return ILiquidationEngine.Terms(
        start_price=first & PRICE_MASK,
        knee_price=(first >> KNEE_AT) & PRICE_MASK,
        first_phase=(first >> FIRST_AT) & TIME_MASK,
        second_phase=(first >> SECOND_AT) & TIME_MASK,
        target_health=(first >> TARGET_AT) & PRICE_MASK,
        whole_below=second & MONEY_MASK,
        smallest_slice=(second >> SMALLEST_AT) & MONEY_MASK,
        reward_phase=(second >> REWARD_AT) & TIME_MASK,
        lapse=first >> LAPSE_AT,
        throttle_interest=(second >> INTEREST_AT) & (2**17 - 1),
        throttle_depth=(second >> DEPTH_AT) & (2**20 - 1),
        throttle_window=(second >> WINDOW_AT) & (2**12 - 1),
        insurance_share=second >> SHARE_AT,
    )


@internal
def _store(terms: ILiquidationEngine.Terms):
    self._check(terms)
    self._words[0] = (
        terms.start_price
        | (terms.knee_price << KNEE_AT)
        | (terms.target_health << TARGET_AT)
        | (terms.first_phase << FIRST_AT)
        | (terms.second_phase << SECOND_AT)
        | (terms.lapse << LAPSE_AT)
    )
    self._words[1] = (
        terms.whole_below
        | (terms.smallest_slice << SMALLEST_AT)
        | (terms.reward_phase << REWARD_AT)
        | (terms.throttle_interest << INTEREST_AT)
        | (terms.throttle_depth << DEPTH_AT)
        | (terms.throttle_window << WINDOW_AT)
        | (terms.insurance_share << SHARE_AT)
    )
    log ILiquidationEngine.TermsSet(terms=terms)


@internal
@pure
def _check(terms: ILiquidationEngine.Terms):
    assert (
        terms.knee_price <= terms.start_price
        and terms.start_price <= WAD
        and 0 < terms.first_phase
        and terms.first_phase <= PHASE_MAX
        and 0 < terms.second_phase
        and terms.second_phase <= PHASE_MAX
        and 0 < terms.reward_phase
        and terms.reward_phase <= PHASE_MAX
        and 0 < terms.lapse
        and terms.lapse <= PHASE_MAX
        and WAD < terms.target_health
        and terms.target_health <= TARGET_MAX
        and max(terms.whole_below, terms.smallest_slice) <= SMALL_MAX
        and terms.throttle_interest <= INTEREST_MAX
        and terms.throttle_depth <= DEPTH_MAX
        and 0 < terms.throttle_window
        and terms.throttle_window <= WINDOW_MAX
        and terms.insurance_share <= BPS
    ), "engine: terms out of range"
