"""What the same account would be asked for elsewhere: published margin rules, as far as they speak of linear positions.

Yardsticks for reports, not rules of this system: nothing here decides anything. Each function is written from the text
it names, as of the numbers it names; where others add house charges, options or depegs, those are left out. Money is
wad USD and requirements are rounded up. Perps are not securities; where a rule is about stock they are charged as if
they were, a long perp as stock held and a short one as stock sold. `prime_perps.yardstick_arrays` has some of these
over many accounts at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from prime_perps import margin
from prime_perps.margin import Closure, Exposure, Table, div_up, sqrt_up
from prime_perps.units import BPS, WAD

# 12 CFR 220.12 (a) and (c): half of a long stock, half of a short one.
REGULATION_T_BPS = 5_000
# FINRA Rule 4210 (e)(1): a stock held long against the same stock sold short.
SHORT_AGAINST_THE_BOX_BPS = 500
# FINRA Rule 4210 (c)(1) and (c)(3): stock held, and stock sold at 5 USD a share and over.
MAINTENANCE_LONG_BPS = 2_500
MAINTENANCE_SHORT_BPS = 3_000

# FINRA Rule 4210 (g) and SEC Rule 15c3-1a: how far a stock is moved, how much of a gain counts, the least charge in USD
# for one unit of a contract.
STOCK_MOVE_BPS = 1_500
OFFSET_BPS = 9_000
LEAST_PER_UNIT = 375 * WAD // 1_000

# Interactive Brokers, portfolio margin: the two largest positions, the others, and initial over maintenance margin.
IBKR_LARGEST = 2
IBKR_LARGEST_BPS = 3_000
IBKR_OTHERS_BPS = 500
IBKR_INITIAL_BPS = 11_000


def regulation_t(exposures: Iterable[Exposure]) -> int:
    """
    Initial requirement in the manner of Regulation T, wad USD, rounded up: half of the value of long stock; 5 % of a
    short position as far as the same stock is held long; half of the notional of every other perp, long or short.
    Hedges with another stock are not recognised.
    """
    total = 0
    for entry in exposures:
        total += (entry.held + abs(entry.perp) - entry.hedged) * REGULATION_T_BPS
        total += entry.hedged * SHORT_AGAINST_THE_BOX_BPS
    return div_up(total, BPS)


def regulation_t_maintenance(exposures: Iterable[Exposure]) -> int:
    """
    Maintenance requirement of FINRA Rule 4210, wad USD: 25 % of stock held, 30 % of stock sold, and 5 % of what is held
    and sold at once.
    """
    total = 0
    for entry in exposures:
        total += (entry.held + max(entry.perp, 0) - entry.hedged) * MAINTENANCE_LONG_BPS
        total += (max(-entry.perp, 0) - entry.hedged) * MAINTENANCE_SHORT_BPS
        total += entry.hedged * SHORT_AGAINST_THE_BOX_BPS
    return div_up(total, BPS)


def regulation_t_call_long(loan: int) -> int:
    """The value, wad USD, below which stock bought with this loan has less than its maintenance requirement."""
    return div_up(loan * BPS, BPS - MAINTENANCE_LONG_BPS)


def regulation_t_call_short(credit: int) -> int:
    """The value, wad USD, above which stock sold has less, when proceeds and deposit together are `credit`."""
    return credit * BPS // (BPS + MAINTENANCE_SHORT_BPS)


@dataclass(frozen=True)
class ProductGroup:
    """Broad indices that are margined together: how far they are moved, bps."""

    down: int
    up: int


HIGH_CAP = ProductGroup(down=800, up=600)
NON_HIGH_CAP = ProductGroup(down=1_000, up=1_000)


def tims(exposures: Sequence[Exposure], indices: Mapping[int, ProductGroup]) -> int:
    """
    The risk-based requirement of the Options Clearing Corporation's TIMS (FINRA Rule 4210 (g), SEC Rule 15c3-1a), wad
    USD. `indices` names the underlyings that are broad indices; each other one is a stock, moved by 15 % both ways and
    an offset to no other. Of linear positions the worst of the rule's ten moves is the first or the last.
    """
    stocks = (abs(entry.net) for entry in exposures if entry.underlying not in indices)
    grouped: dict[ProductGroup, list[int]] = {}
    for entry in exposures:
        if entry.underlying in indices:
            grouped.setdefault(indices[entry.underlying], []).append(entry.net)
    return div_up(STOCK_MOVE_BPS * sum(stocks), BPS) + sum(_tims_group(nets, group) for group, nets in grouped.items())


def _tims_group(nets: Sequence[int], group: ProductGroup) -> int:
    """Of the losses of one index, 90 % of the gains of others in its group are taken off."""
    long, short = sum(net for net in nets if net > 0), -sum(net for net in nets if net < 0)
    falls = group.down * (BPS * long - OFFSET_BPS * short)
    rises = group.up * (BPS * short - OFFSET_BPS * long)
    return div_up(max(falls, rises, 0), BPS**2)


def tims_least(contracts: int, multiplier: int) -> int:
    """
    What TIMS asks for at least, wad USD: 0.375 USD times the multiplier for each option or future. `tims` leaves it
    out, as our positions are not made of contracts.
    """
    return contracts * multiplier * LEAST_PER_UNIT


def ibkr(exposures: Sequence[Exposure]) -> tuple[int, int]:
    """
    Maintenance and initial requirement of a portfolio of stocks at Interactive Brokers, wad USD: TIMS, or if that is
    more, 30 % of the two largest positions and 5 % of the others; initially 10 % on top of it.
    """
    sizes = sorted((abs(entry.net) for entry in exposures), reverse=True)
    largest, others = sum(sizes[:IBKR_LARGEST]), sum(sizes[IBKR_LARGEST:])
    stress = div_up(IBKR_LARGEST_BPS * largest + IBKR_OTHERS_BPS * others, BPS)
    maintenance = max(stress, tims(exposures, {}))
    return maintenance, div_up(IBKR_INITIAL_BPS * maintenance, BPS)


# Derive (docs.derive.xyz): standard margin of BTC and ETH perps as first published, since lowered.
DERIVE_STANDARD_BPS = (650, 1_000)
# Its portfolio margin, PMRM 2, of BTC and ETH: moves, and how much of the loss counts. Published to two digits, the
# weights of the tails are such that a linear book loses 13.86 % in each; the mildest and the wildest stand for all.
DERIVE_MOVES = ((-1_800, 10_000), (1_800, 10_000), (-6_600, 2_100), (5_000, 2_772))
DERIVE_LOSS_BPS = (8_000, 10_000)
DERIVE_PERP_BPS = (300, 400)
DERIVE_BUFFER_BPS = 11_500


def derive_standard(perp: int) -> tuple[int, int]:
    """Maintenance and initial margin of one perp under Derive's standard margin, wad USD."""
    maintenance, initial = DERIVE_STANDARD_BPS
    return div_up(maintenance * abs(perp), BPS), div_up(initial * abs(perp), BPS)


def derive_loss(net: int, move: int, weight: int) -> int:
    """What a net position is taken to lose in one of Derive's moves, bps, of which `weight` bps count; wad USD."""
    return max(div_up(-net * move * weight, BPS**2), 0)


def derive_portfolio(token: int, perp: int) -> tuple[int, int]:
    """
    Maintenance and initial margin of a token and its perp under Derive's portfolio margin, wad USD: 80 % or all of the
    worst loss of the net, and 3 or 4 % of the perp. It nets inside one coin only.
    """
    worst = max(derive_loss(token + perp, move, weight) for move, weight in DERIVE_MOVES)
    maintenance, initial = (
        div_up(loss * worst, BPS) + div_up(contingency * abs(perp), BPS)
        for loss, contingency in zip(DERIVE_LOSS_BPS, DERIVE_PERP_BPS, strict=True)
    )
    return maintenance, initial


def derive_buffer(equity: int, maintenance: int) -> int:
    """What an account in liquidation at Derive has over 1.15 times maintenance margin, wad USD; below 0 it goes on."""
    return equity - div_up(DERIVE_BUFFER_BPS * maintenance, BPS)


# Hyperliquid (hyperliquid.gitbook.io): margin tiers; portfolio margin; its rate for dollars.
HYPERLIQUID_OFFSET = 20 * WAD
HYPERLIQUID_LIQUIDATION = 95 * WAD // 100
HYPERLIQUID_RATE_BPS = 500
HYPERLIQUID_KINK_BPS = 8_000
HYPERLIQUID_SLOPE_BPS = 47_500


def hyperliquid(notional: int, tiers: Sequence[tuple[int, int]]) -> int:
    """
    Maintenance margin of one perp at Hyperliquid, wad USD: of each tier's part of the notional, half of what the tier's
    highest leverage asks for. `tiers` are pairs of where one begins, wad USD, and that leverage; the first begins at 0.
    The same as the published rate times notional less deduction.
    """
    total = Fraction(0)
    for number, (start, leverage) in enumerate(tiers):
        end = tiers[number + 1][0] if number + 1 < len(tiers) else notional
        total += Fraction(max(min(notional, end) - start, 0), 2 * leverage)
    return ceil(total)


def hyperliquid_ratio(collateral: int, loan_to_value: int, borrowed: int, perps: int = 0) -> int:
    """
    Portfolio margin ratio at Hyperliquid, wad: 20 USD, maintenance margin of perps and what is borrowed, over what the
    collateral counts for, halfway from its loan-to-value in bps to all of it. Liquidated over 0.95. For an account that
    holds nothing but the collateral, within all caps.
    """
    counted = collateral * (BPS + loan_to_value)
    return div_up((HYPERLIQUID_OFFSET + perps + borrowed) * 2 * BPS * WAD, counted)


def hyperliquid_rate(utilisation: int) -> int:
    """Yearly rate of a borrowed dollar at Hyperliquid when this much of what is lent is borrowed; bps."""
    return HYPERLIQUID_RATE_BPS + div_up(HYPERLIQUID_SLOPE_BPS * max(utilisation - HYPERLIQUID_KINK_BPS, 0), BPS)


def drift_asset_weight(size: int, weight: int, imf: int) -> int:
    """
    What counts of a deposit of `size` units at Drift v2, all wad: `weight`, or less if it is large. Source: its
    published formula min(weight, 1.1 / (1 + imf sqrt(size))).
    """
    return min(weight, 11 * WAD * WAD // (10 * (WAD + _imf_up(size, imf))))


def drift_liability_weight(size: int, weight: int, imf: int) -> int:
    """What a debt of `size` units counts for at Drift v2, all wad: max(weight, 0.8 weight + imf sqrt(size))."""
    return max(weight, div_up(8 * weight, 10) + _imf_up(size, imf))


def _imf_up(size: int, imf: int) -> int:
    """imf sqrt(size), wad, rounded up."""
    return div_up(imf * sqrt_up(size * WAD), WAD)


def mango_weights(leverage: int) -> tuple[int, int]:
    """What a position counts for at Mango v4, long and short, bps: 1 - 1/leverage and 1 + 1/leverage."""
    return BPS - div_up(BPS, leverage), BPS + div_up(BPS, leverage)


# Binance portfolio margin: equity over maintenance margin at which it warns, stops new orders, liquidates, and claims.
BINANCE_LEVELS_BPS = (15_000, 12_000, 10_500, 10_000)


def binance_equity(net: int, collateral_rate: int) -> int:
    """What a net asset counts for in Binance's portfolio margin, wad USD: the rate in bps of it, a debt in full."""
    return min(net * collateral_rate // BPS, net)


def binance_level(equity: int, maintenance: int) -> int:
    """How many of Binance's levels an account is at or below: 0 trades freely, 3 is liquidated, 4 is claimed from."""
    return sum(equity * BPS <= level * maintenance for level in BINANCE_LEVELS_BPS)


def position_by_position(exposures: Iterable[Exposure], closure: Closure, table: Table) -> int:
    """
    The sum of our own initial margins of each token and each perp as if it were an account alone, wad USD: what the
    same risk numbers ask for when positions are margined one by one.
    """
    return sum(margin.requirements([one], closure, 0, table)[1] for one in _alone(exposures))


def _alone(exposures: Iterable[Exposure]) -> Iterator[Exposure]:
    for entry in exposures:
        facts = entry.width, entry.eventful
        for token, other, perp in ((entry.token, 0, 0), (0, entry.other, 0), (0, 0, entry.perp)):
            if token or other or perp:
                yield Exposure(entry.underlying, token, other, perp, *facts)
