"""The ABIs of the deployed contracts as a committed list: what integrators rely on changes only on purpose.

`python -m prime_perps.abi` (`make abi`) rewrites the list; a test compares it with what the sources compile to.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prime_perps import compiler

FOLDER = Path(__file__).resolve().parent
DEVNET = compiler.CONTRACTS / "devnet"


def deployable_names() -> list[str]:
    """The contracts that go to a live network: all but the stand-ins of devnet."""
    return [name for name, path in compiler.contract_paths().items() if DEVNET not in path.parents]


def committed_names() -> list[str]:
    """The contracts of the committed list."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def committed(name: str) -> list[dict[str, Any]]:
    """The committed ABI of one contract. Raises FileNotFoundError for a name that is not on the list."""
    entries: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return entries


def compiled(name: str) -> list[dict[str, Any]]:
    """The ABI the sources give now, in an order that does not depend on where in a file a function stands."""
    return sorted(compiler.load(name).abi, key=lambda entry: (entry["type"], entry.get("name", ""), json.dumps(entry)))


def rewrite() -> list[str]:
    """Make the committed list equal to the sources. Returns the names of the files that changed or went."""
    names = deployable_names()
    changed = []
    for name in names:
        entry = FOLDER / f"{name}.json"
        text = json.dumps(compiled(name), indent=1) + "\n"
        if not entry.exists() or entry.read_text() != text:
            entry.write_text(text)
            changed.append(name)
    for name in set(committed_names()) - set(names):
        (FOLDER / f"{name}.json").unlink()
        changed.append(name)
    return sorted(changed)
