"""What is read from the packages with prices, and a plain word when they are not there or not right."""

from __future__ import annotations

import gzip
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from prime_perps.backtest import data
from prime_perps.backtest.data import PricesMissing
from scripts.backtest import cli

STOCKS = "Date,A,B\n2005-12-30,1,10\n2006-01-03,2,10\n2007-01-03,1,11\n"
INDEX = "Date,SP500\n2005-12-30,100\n2006-01-03,110\n2007-01-03,99\n"
SESSIONS = 6431  # of the New York exchange, from the last of 1984 to the end of June 2010


@pytest.fixture(autouse=True)
def packages(tmp_path, monkeypatch) -> Path:
    """Nothing but what the test puts there can be found."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for name in ("skfolio", "universal"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def _skfolio(where: Path, stocks: str = STOCKS, index: str = INDEX) -> None:
    folder = where / "skfolio" / "datasets" / "data"
    folder.mkdir(parents=True)
    # Importing it would fail: the packages it needs are not installed.
    (where / "skfolio" / "__init__.py").write_text("raise ImportError")
    for name, text in (("sp500_dataset", stocks), ("sp500_index", index)):
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))


def _nyse(where: Path, rows: list[str]) -> None:
    (where / "universal" / "data").mkdir(parents=True)
    (where / "universal" / "__init__.py").write_text("raise ImportError")
    (where / "universal" / "data" / "nyse_n.csv").write_text("\n".join(["A,B", *rows]) + "\n")


def test_sp500__closes__become_returns_of_the_days_after_the_first(packages):
    _skfolio(packages)
    universe = data.sp500()
    assert universe.days == (date(2006, 1, 3), date(2007, 1, 3))
    assert universe.stocks == ("A", "B")
    assert universe.returns == pytest.approx(np.array([[1, 0, 0.1], [-0.5, 0.1, -0.1]]))


def test_nyse__values_of_a_dollar__become_returns_on_the_exchanges_days(packages):
    _nyse(packages, ["1.0,1.0"] * 707 + ["0.8,0.6"] * (SESSIONS - 707))
    universe = data.nyse()
    assert len(universe.days) == SESSIONS - 1
    assert (universe.days[0], universe.days[-1]) == (date(1985, 1, 2), date(2010, 6, 30))
    # The row of the crash is the row of its day: counted from the real file.
    assert universe.row(date(1987, 10, 19)) == 706
    assert universe.returns[706] == pytest.approx([-0.2, -0.4, -0.3])


def test_rows__years__both_included(packages):
    _skfolio(packages)
    universe = data.sp500()
    assert (universe.rows(2006, 2006), universe.rows(2006, 2007), universe.rows(2007, 2020)) == (
        slice(0, 1),
        slice(0, 2),
        slice(1, 2),
    )
    assert universe.row(date(2006, 1, 4)) is None


@pytest.mark.parametrize(("read", "package"), [(data.sp500, "skfolio"), (data.nyse, "universal-portfolios")])
def test_universes__package_not_installed__named_with_the_command(read, package):
    with pytest.raises(
        PricesMissing,
        match=rf"{package}, which is not installed: run `make backtest` or `make stress`, or .*pip install",
    ):
        read()


@pytest.mark.parametrize(
    ("stocks", "complaint"),
    [
        (STOCKS.replace("2006-01-03,2", "2006-01-03,"), "could not convert"),
        (STOCKS.replace("2006-01-03,2", "2006-01-03,0"), "missing or not above zero"),
        (STOCKS.replace("2006-01-03,2", "2006-01-03,nan"), "missing or not above zero"),
        (STOCKS.replace("2006-01-03,2", "2006-01-03"), "inhomogeneous"),
        (STOCKS.replace("2006-01-03", "3 January"), "Invalid isoformat"),
        (STOCKS.replace("2006-01-03", "2006-01-04"), "different days"),
        ("", "cannot be read"),
        ("Date,A,B\n", "missing or not above zero"),
    ],
)
def test_sp500__file_that_makes_no_sense__refused_with_the_way_out(packages, stocks, complaint):
    _skfolio(packages, stocks)
    with pytest.raises(PricesMissing, match=rf"{complaint}.*--force-reinstall"):
        data.sp500()


def test_sp500__file_cut_short__refused_with_the_way_out(packages):
    _skfolio(packages)
    file = packages / "skfolio" / "datasets" / "data" / "sp500_dataset.csv.gz"
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(PricesMissing, match=r"sp500_dataset.csv.gz cannot be read"):
        data.sp500()


def test_sp500__package_without_the_file__refused_with_the_way_out(packages):
    _skfolio(packages)
    (packages / "skfolio" / "datasets" / "data" / "sp500_index.csv.gz").unlink()
    with pytest.raises(PricesMissing, match=r"no file sp500_index.csv.gz.*--force-reinstall"):
        data.sp500()


def test_nyse__other_number_of_rows__refused_for_its_days_are_unknown(packages):
    _nyse(packages, ["1.0,1.0"] * 100)
    with pytest.raises(PricesMissing, match="100 rows, not 6431"):
        data.nyse()


def test_command__prices_not_installed__one_line_that_says_what_to_do(tmp_path):
    result = CliRunner().invoke(cli, ["--output", str(tmp_path / "out")])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert result.output.startswith("Error: real prices are in skfolio, which is not installed: run `make")
