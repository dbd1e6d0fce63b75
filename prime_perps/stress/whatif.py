"""The parameters of a replay: parameters/local.json with the replay's own stocks, and what the switches change.

No portfolio margin. One formula has no switch for it, so the risk table is rewritten: each name's whole stand-alone
rate (factor, own name, floor) becomes its floor, shocks become nothing, and a hedged pair is charged for both of its
legs, which is a basis of twice the floor. The margin of a book is then the sum of its positions' own. What a weekend
multiplies, the shocks, is gone with them, and shorts are charged as longs: both ask less than isolated margin would.

No throttle. The caps of the engine's `throttle_...` terms become all of what they are a part of.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from prime_perps import risk
from prime_perps.deployment import PARAMETERS
from prime_perps.margin import Line
from prime_perps.risk import GROUPS, RiskTable
from prime_perps.stress.settings import Settings
from prime_perps.units import BPS

NETWORK = PARAMETERS / "local.json"
THROTTLE = "throttle_"
# The most that the engine's terms admit: ten times the open interest, a hundred times the depth, in each window.
UNTHROTTLED = {"throttle_interest_bps": 10 * BPS, "throttle_depth_bps": 100 * BPS}
DEPOSIT_CAP, OPEN_INTEREST_CAP = "1000000000", "100000000"
BAND, FUNDING_DEPTH = 500, 1_000_000  # as of every market of local.json
JUMP = {"ETF": 500, "T1": 500}  # bps, docs/oracle.md; wilder stocks have twice as much
JUMP_OF_OTHERS = 1_000


def throttle_terms(parameters: dict[str, Any]) -> dict[str, Any]:
    """The engine's throttle as deployed."""
    return {name: value for name, value in parameters["liquidation"].items() if name.startswith(THROTTLE)}


def parameters(symbols: Sequence[str], tiers: Sequence[str], settings: Settings, scratch: Path) -> dict[str, Any]:
    """What `deploy` takes. A risk table of its own, where a switch asks for one, is written into `scratch`."""
    given: dict[str, Any] = json.loads(NETWORK.read_text())
    given["underlyings"] = [
        _underlying(symbol, tier, has_token=place < len(symbols) - 1)
        for place, (symbol, tier) in enumerate(zip(symbols, tiers, strict=True))
    ]
    if settings.no_throttle:
        given["liquidation"] |= UNTHROTTLED
    if settings.isolated:
        path = scratch / "isolated.json"
        path.write_text(json.dumps(plain(isolated(table()))))
        given["risk"] = str(path.resolve())
    return given


def table() -> RiskTable:
    """The risk table of the network. Raises BadRiskParameters."""
    return risk.load(PARAMETERS / json.loads(NETWORK.read_text())["risk"])


def isolated(given: RiskTable) -> RiskTable:
    """The same charges, position by position: see above."""
    phi = given.globals.phi
    return RiskTable(
        replace(given.globals, phi=(0, 0, 0, 0), short_side=BPS, jump=BPS),
        {name: _alone(line, phi[line.group], given.globals.jump) for name, line in given.tiers.items()},
    )


def _alone(line: Line, phi: int, jump: int) -> Line:
    shocks = max(-(-phi * line.beta // BPS) + line.iota, -(-jump * line.iota // BPS))
    rate = min(shocks + line.gamma, BPS)
    return replace(line, beta=0, iota=0, gamma=rate, basis=2 * rate)


def plain(given: RiskTable) -> dict[str, Any]:
    """A risk table as its file has it."""
    rules = dict(vars(given.globals)) | {"phi": dict(zip(GROUPS, given.globals.phi, strict=True))}
    tiers = {name: dict(vars(line)) | {"group": GROUPS[line.group]} for name, line in given.tiers.items()}
    return {"globals": rules, "tiers": tiers}


def _underlying(symbol: str, tier: str, *, has_token: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "symbol": symbol,
        "tier": tier,
        "feed": {"source": ["reports"], "jump": JUMP.get(tier, JUMP_OF_OTHERS)},
        "market": {"open_interest_cap": OPEN_INTEREST_CAP, "band_bps": BAND, "funding_depth": FUNDING_DEPTH},
    }
    return entry | ({"token": "devnet", "deposit_cap": DEPOSIT_CAP} if has_token else {})
