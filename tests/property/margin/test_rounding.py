"""Requirements are rounded up, and by no more than the roundings there are: against the formula with 200 digits."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext

from hypothesis import given

from prime_perps.margin import VALUE_MAX, Closure, Exposure, Table
from prime_perps.units import BPS, WAD
from tests.property.margin.conftest import Model
from tests.property.margin.strategies import ROUNDING, books, closures, tables, values


@given(tables(), books(), closures(), values(VALUE_MAX))
def test_rounding__both_margins__at_or_just_above_the_exact_number(
    model: Model, table: Table, book: list[Exposure], closure: Closure, debt: int
) -> None:
    terms = model.explain(table, book, closure, debt)
    maintenance, initial = _exact(table, book, closure, debt)
    assert maintenance <= terms.maintenance < maintenance + ROUNDING
    assert initial <= terms.initial < initial + ROUNDING


def _exact(table: Table, book: list[Exposure], closure: Closure, debt: int) -> tuple[int, int]:
    """The formula as it is printed, with 200 digits, wad rounded down."""
    with localcontext(prec=200, rounding=ROUND_FLOOR):
        one = Decimal(BPS)
        rules = table.globals
        net = {e.underlying: Decimal(e.token + e.other + e.perp) for e in book}
        linear = Decimal(0)
        for e in book:
            line, d = table.lines[e.underlying], net[e.underlying]
            linear += (line.gamma + e.width) / one * abs(d) + line.basis / one * min(e.token + e.other, max(-e.perp, 0))
            linear += line.wrapper / one * e.token + line.wrapper_other / one * e.other
            if line.slope:
                linear += min(rules.slope_cap / one, line.slope / one * abs(d) / (line.depth * WAD)) * abs(d)
        scale = [one, Decimal(rules.weekend), Decimal(rules.long_closure)]
        now, ahead = scale[closure.now] / one, scale[closure.ahead] / one
        # The ramp moves in whole basis points, upwards.
        now += -((closure.ramp * (scale[closure.now] - scale[closure.ahead]) / one).to_integral_value()) / one
        interest = Decimal(debt) * rules.loan_rate / one * 3 / 365
        maintenance = _core(table, book, net, now, whole=False) + linear
        initial = 4 * (_core(table, book, net, ahead, whole=True) + linear) / 3 + interest
        return int(maintenance), int(initial)


def _core(table: Table, book: list[Exposure], net: dict[int, Decimal], further: Decimal, *, whole: bool) -> Decimal:
    """What moves with the market if what keeps hours moves `further`; `whole`: all of every event has come."""
    one, rules, worst = Decimal(BPS), table.globals, []
    idio = []
    for e in book:
        line, d = table.lines[e.underlying], net[e.underlying]
        side = rules.short_side / one if d < 0 else Decimal(1)
        # An event comes in whole basis points, upwards.
        come = -(-(rules.event_factor - BPS) * (BPS if whole and e.eventful else e.eventful) // BPS)
        idio.append(line.iota / one * (BPS + come) / one * side * abs(d) * (further if line.hours else 1))
    for scale in (Decimal(1), further):
        groups = [Decimal(0)] * 4
        for i, d in net.items():
            line = table.lines[i]
            groups[line.group] += line.beta / one * d * (scale if line.hours else 1)
        worst.append([abs(group) for group in groups])
    factor = sum((phi / one * max(pair) for phi, *pair in zip(rules.phi, *worst, strict=True)), Decimal(0))
    own = sum((shock**2 for shock in idio), Decimal(0)).sqrt()
    return max(factor + own, rules.jump / one * max(idio, default=Decimal(0)))
