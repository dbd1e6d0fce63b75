"""Risk parameters as data: parameters/risk.json in, the globals and lines of a margin table out; and back from a model.

A file is held to the bounds of contracts/modules/margin/risk_table.vy, so that what loads here is not refused there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from prime_perps.errors import PrimePerpsError
from prime_perps.margin import Globals, Line, Table

GROUPS = ("equities", "crypto", "rates", "spare")
LINES_MAX = 64

ONE = 10_000
FIVE = 50_000
# Least and most of each field, bps unless said otherwise. Ties between fields are in the checks below.
GLOBAL_BOUNDS = {
    "short_side": (ONE, FIVE),
    "jump": (ONE, FIVE),
    "event_factor": (ONE, FIVE),
    "slope_cap": (0, ONE),
    "weekend": (ONE, FIVE),
    "long_closure": (ONE, FIVE),
    "loan_rate": (0, ONE),
}
LINE_BOUNDS = {
    "beta": (0, FIVE),
    "iota": (0, ONE),
    "gamma": (1, ONE),
    "basis": (0, 2 * ONE),
    "wrapper": (0, ONE),
    "wrapper_other": (0, ONE),
    "slope": (0, ONE),
    "hours": (0, 1),
    "depth": (0, 10**15),  # whole USD
}


class BadRiskParameters(PrimePerpsError):
    """A risk file that cannot be used; the text names the field."""


@dataclass(frozen=True)
class RiskTable:
    """The globals and one line per tier, as a risk file gives them."""

    globals: Globals
    tiers: Mapping[str, Line]

    def line(self, tier: str) -> Line:
        """The line of an underlying of this tier. Raises BadRiskParameters for a tier the file does not have."""
        if tier not in self.tiers:
            raise BadRiskParameters(f"no tier {tier!r}; there are {', '.join(self.tiers)}")
        return self.tiers[tier]

    def table(self, tiers: Iterable[str]) -> Table:
        """A margin table whose underlying i is of the i-th tier given."""
        lines = [self.line(tier) for tier in tiers]
        if len(lines) > LINES_MAX:
            raise BadRiskParameters(f"{len(lines)} underlyings, a table holds {LINES_MAX}")
        return Table(self.globals, lines)


def load(path: Path) -> RiskTable:
    """Read a risk file. Raises BadRiskParameters, naming the file and the field."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadRiskParameters(f"{path.name}: cannot be read ({error})") from None
    try:
        return parse(content)
    except BadRiskParameters as error:
        raise BadRiskParameters(f"{path.name}: {error}") from None


def parse(content: Any) -> RiskTable:
    """The content of a risk file, checked. Raises BadRiskParameters, naming the field."""
    entries = _mapping(content, "the file", {"globals", "tiers"}, optional={"units"})
    named = _mapping(entries["tiers"], "tiers")
    if not named:
        raise BadRiskParameters("tiers: there is none")
    return RiskTable(_globals(entries["globals"]), {name: _line(name, entry) for name, entry in named.items()})


def read_table(model: Any) -> Table:
    """The table of a deployed margin model, a contract, for checking what a vote to use it is about."""
    (equities, crypto, rates, spare), *others = model.globals()
    return Table(Globals((equities, crypto, rates, spare), *others), [Line(*line) for line in model.lines()])


def _globals(content: Any) -> Globals:
    entries = _mapping(content, "globals", {entry.name for entry in fields(Globals)})
    phi = _mapping(entries["phi"], "globals.phi", set(GROUPS))
    values = {name: _bounded(entries[name], f"globals.{name}", *bounds) for name, bounds in GLOBAL_BOUNDS.items()}
    if values["long_closure"] < values["weekend"]:
        raise BadRiskParameters(f"globals.long_closure: {values['long_closure']} is below weekend {values['weekend']}")
    equities, crypto, rates, spare = (_bounded(phi[name], f"globals.phi.{name}", 0, ONE) for name in GROUPS)
    return Globals(phi=(equities, crypto, rates, spare), **values)


def _line(tier: str, content: Any) -> Line:
    where = f"tiers.{tier}"
    entries = _mapping(content, where, {entry.name for entry in fields(Line)}, optional={"description"})
    if entries["group"] not in GROUPS:
        raise BadRiskParameters(f"{where}.group: {entries['group']!r} is none of {', '.join(GROUPS)}")
    values = {name: _bounded(entries[name], f"{where}.{name}", *bounds) for name, bounds in LINE_BOUNDS.items()}
    if values["basis"] > 2 * values["gamma"]:
        raise BadRiskParameters(f"{where}.basis: {values['basis']} is over 2 gamma, {2 * values['gamma']}")
    if values["slope"] and not values["depth"]:
        raise BadRiskParameters(f"{where}.depth: 0, which needs slope 0")
    return Line(group=GROUPS.index(entries["group"]), **values)


def _bounded(value: Any, where: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRiskParameters(f"{where}: {value!r} is not a whole number")
    if not least <= value <= most:
        raise BadRiskParameters(f"{where}: {value} is not from {least} to {most}")
    return value


def _mapping(
    content: Any, where: str, names: set[str] | None = None, optional: set[str] | None = None
) -> dict[str, Any]:
    """`content` as an object that has all of `names` and nothing that is not expected."""
    if not isinstance(content, dict):
        raise BadRiskParameters(f"{where}: not an object")
    if names is None:
        return content
    missing, unknown = names - content.keys(), content.keys() - names - (optional or set())
    if missing or unknown:
        named = [f"no {name}" for name in sorted(missing)] + [f"unknown {name}" for name in sorted(unknown)]
        raise BadRiskParameters(f"{where}: {', '.join(named)}")
    return content
