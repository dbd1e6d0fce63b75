"""Signed orders as a file, so that a maker's process can offer them and any other can take them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prime_perps.errors import PrimePerpsError
from prime_perps.orders import Order, SignedOrder


def save(path: Path, quotes: Iterable[SignedOrder]) -> None:
    """Replace the file's orders, all at once: a reader sees the old ones or the new ones."""
    rows = [
        {
            # As text: an account number does not fit what most readers of JSON take for a number.
            "order": {
                name: value if isinstance(value, bool) else str(value) for name, value in asdict(quote.order).items()
            },
            "signer": quote.signer,
            "signature": "0x" + quote.signature.hex(),
        }
        for quote in quotes
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(rows, indent=2) + "\n")
    scratch.replace(path)


def load(path: Path) -> list[SignedOrder]:
    """The orders in a file. Raises PrimePerpsError for one that is missing or is no order book."""
    try:
        return [_signed(row) for row in json.loads(path.read_text())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PrimePerpsError(f"cannot read quotes from {path}: {error!r}") from None


def _signed(row: dict[str, Any]) -> SignedOrder:
    fields: dict[str, Any] = {
        name: value if isinstance(value, bool) else int(value) for name, value in row["order"].items()
    }
    return SignedOrder(Order(**fields), row["signer"], bytes.fromhex(row["signature"][2:]))
