"""One account as a person reads it: what it owns and owes, and every number behind its equity and its two margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from prime_perps.accounts import owner_of
from prime_perps.liquidation import liquidatable
from prime_perps.margin import Exposure
from prime_perps.reports import Flag, Session, Word
from prime_perps.units import BPS, MID, NANO, WAD, usd

MID_TO_WAD = WAD // MID


def verdict(margin: Any) -> str:
    """What the margins allow. `margin` as IPerpClearinghouse.Margin, USD in wad."""
    if liquidatable(margin):
        return "liquidatable"
    if margin.equity < margin.maintenance:
        return "below maintenance, protected by old, frozen or sudden prices"
    if min(margin.equity, margin.equity + margin.slow) < margin.initial:
        return "may only reduce risk"
    return "healthy"


def health(margin: Any) -> Decimal | None:
    """Equity over maintenance margin; None for an account that needs no margin."""
    return Decimal(margin.equity) / margin.maintenance if margin.maintenance else None


def exposures(summary: Any) -> list[Exposure]:
    """What the margin model was given for an account, out of its IAccountLens.Summary; exact."""
    found = []
    for line in summary.lines:
        own = line.token * (line.mid // MID_TO_WAD) // MID
        other = line.token_value - own
        found.append(Exposure(line.underlying, own, other, line.perp_value, line.half_width, line.eventful))
    return found


def words(summary: Any) -> list[Word]:
    """The price words of an account's lines as the clearinghouse read them, without their times."""
    return [
        Word(line.mid // MID_TO_WAD, 0, line.half_width, line.slow, line.session, line.flags, line.doubt)
        for line in summary.lines
    ]


def render(
    account: int, summary: Any, symbols: Mapping[int, str], restricted: Mapping[int, Sequence[str]] | None = None
) -> Group:
    """
    `summary` as IAccountLens.Summary, `symbols` by underlying, `restricted` as restrictions.of_account. Amounts are
    shown in USD, prices as of the block the summary was read at.
    """
    title = Text.assemble(("Account ", "bold"), f"{owner_of(account)} / {account % 2**96}   ", _verdict(summary.margin))
    trading = [_trading(restricted, symbols)] if restricted else []
    held = summary.lines or summary.margin.cash or summary.margin.quote
    return Group(
        title,
        *([] if held else [Text("It holds nothing: never used, or empty.", style="yellow")]),
        _holdings(summary, symbols),
        _prices(summary, symbols),
        *trading,
        _equity(summary),
        _requirements(summary),
    )


def _verdict(margin: Any) -> Text:
    told = verdict(margin)
    return Text(told, style={"healthy": "bold green", "liquidatable": "bold red"}.get(told, "bold yellow"))


def _holdings(summary: Any, symbols: Mapping[int, str]) -> Table:
    table = _columns("Holdings", "underlying", "tokens", "worth", "perps", "worth", "net")
    for line in summary.lines:
        table.add_row(
            symbols.get(line.underlying, str(line.underlying)),
            _units(line.token, WAD),
            usd(line.token_value),
            _units(line.size, NANO),
            usd(line.perp_value),
            usd(line.token_value + line.perp_value),
        )
    return table


def _prices(summary: Any, symbols: Mapping[int, str]) -> Table:
    table = _columns("Prices", "underlying", "price", "half-width", "of it doubt", "age", "session")
    for line in summary.lines:
        table.add_row(
            symbols.get(line.underlying, str(line.underlying)),
            usd(line.mid),
            _percent(line.half_width),
            _percent(line.doubt),
            f"{line.age} s",
            _state(line),
        )
    return table


def _trading(restricted: Mapping[int, Sequence[str]], symbols: Mapping[int, str]) -> Table:
    """What may be traded, and if only reductions, for each reason a line."""
    table = Table(title="Trading", title_justify="left")
    table.add_column("underlying", overflow="fold")
    table.add_column("what may be traded", overflow="fold")
    for underlying, reasons in restricted.items():
        told = "\n".join(f"only reductions: {reason}" for reason in reasons) or "anything"
        table.add_row(symbols.get(underlying, str(underlying)), told)
    return table


def _columns(title: str, *names: str) -> Table:
    """The first column is a name, the others are numbers. Nothing is ever cut short, however narrow the terminal."""
    table = Table(title=title, title_justify="left")
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place else "left", overflow="fold")
    return table


def _state(line: Any) -> str:
    names = [Session(line.session).name.lower().replace("_", " ")]
    return " ".join(names + [str(flag.name).lower().replace("_", " ") for flag in Flag if flag & line.flags])


def _equity(summary: Any) -> Table:
    table = _sums("Equity")
    margin = summary.margin
    table.add_row("cash" if margin.cash >= 0 else "cash (a loan)", usd(margin.cash))
    table.add_row("+ tokens", usd(margin.token_value))
    table.add_row("+ perps at oracle prices", usd(margin.perp_value))
    table.add_row("+ quote balance (minus what the perps cost)", usd(margin.quote))
    table.add_row("- funding owed", usd(margin.funding_owed))
    table.add_section()
    table.add_row("equity", usd(margin.equity), style="bold")
    return table


def _requirements(summary: Any) -> Table:
    margin, terms = summary.margin, summary.terms
    table = _sums("Margin")
    table.add_row("factor shock, all groups", usd(terms.factor))
    table.add_row("+ own-name shocks", usd(terms.own))
    table.add_row("or the largest jump, if more", usd(terms.jump))
    table.add_row("= core, at what the session multiplies it by", usd(terms.core))
    table.add_section()
    table.add_row("+ floor on net exposure", usd(terms.floor))
    table.add_row("+ width of prices", usd(terms.widths))
    table.add_row("+ basis of hedged pairs", usd(terms.basis))
    table.add_row("+ wrapper of tokens", usd(terms.wrapper))
    table.add_row("+ size", usd(terms.size))
    table.add_section()
    table.add_row("maintenance margin", usd(margin.maintenance), style="bold")
    table.add_section()
    table.add_row("core of the strictest session within a day", usd(terms.core_ahead))
    table.add_row("72 hours of interest on the loan", usd(terms.interest))
    table.add_row("initial margin: 4/3 with that core, and the interest", usd(margin.initial), style="bold")
    table.add_section()
    ratio = health(margin)
    table.add_row(
        "health: equity over maintenance", "no margin needed" if ratio is None else f"{ratio:.3f}", style="bold"
    )
    worse = min(margin.equity, margin.equity + margin.slow)
    table.add_row("equity at the slow prices", usd(margin.equity + margin.slow))
    table.add_row("free: the lower equity less initial margin", usd(worse - margin.initial))
    table.add_section()
    table.add_row("doubt of old or frozen prices", usd(margin.doubt))
    table.add_row("liquidation line: what equity and doubt must reach", usd(margin.live))
    return table


def _sums(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", overflow="fold")
    return table


def _percent(bps: int) -> str:
    return f"{Decimal(bps) * 100 / BPS:.2f}%"


def _units(amount: int, scale: int) -> str:
    return f"{Decimal(amount) / scale:,.4f}".rstrip("0").rstrip(".") if amount else "0"
