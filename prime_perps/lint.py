"""Rules of the contracts that a compiler does not know. `python -m prime_perps.lint` prints what breaks one.

Sizes are those of the runtime code without immutables; the limit of the chain is 24,576 bytes.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from prime_perps import compiler

SIZE_BUDGET = 20_000  # bytes; above it, a warning
SIZE_LIMIT = 22_500  # bytes; above it, a failure
LINE_LIMIT = 120
REASON_BYTES = 32  # a longer reason takes a second word in every revert
REASON = re.compile(r"^[a-z][a-z0-9_ ]*: \S.*$")
ASSERTED = re.compile(r"^\s*(?:assert .*,|raise)\s+(\"[^\"]*\"|'[^']*')", re.MULTILINE)


def sizes() -> dict[str, int]:
    """Bytes of runtime code of every contract, the stand-ins of devnet included."""
    return {name: (len(artifact.runtime) - 2) // 2 for name, artifact in compiler.load_all().items()}


def too_big(measured: dict[str, int]) -> Iterator[str]:
    """The contracts over the limit."""
    for name, size in measured.items():
        if size > SIZE_LIMIT:
            yield f"{name}: {size:,} bytes of code, over the limit of {SIZE_LIMIT:,}"


def faults(path: Path) -> Iterator[str]:
    """What one Vyper file does that the project's rules forbid."""
    where = path.relative_to(compiler.ROOT)
    text = path.read_text()
    yield from (f"{where}:{fault}" for fault in _faults(text, must_lock=_must_lock(path)))


def _must_lock(path: Path) -> bool:
    """Whether a file needs the lock: deployed, and none of the stand-ins, some of which are hostile on purpose."""
    return path in compiler.contract_paths().values() and compiler.CONTRACTS / "devnet" not in path.parents


def _faults(text: str, *, must_lock: bool) -> Iterator[str]:
    if not text.startswith("# pragma version 0.4.3\n"):
        yield "1: the first line is not `# pragma version 0.4.3`"
    for tag in ("@title", "@license AGPL-3.0-only", "@author Prime Perps"):
        if tag not in text:
            yield f"1: no {tag} in the doc string"
    if re.search(r"^#\s*pragma\s+evm-version", text, re.MULTILINE):
        yield "1: the evm version belongs to the configuration, not to a pragma"
    if must_lock and "@external" in text and "# pragma nonreentrancy on" not in text:
        yield "1: a deployable with externals and no `# pragma nonreentrancy on`"
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LINE_LIMIT:
            yield f"{number}: {len(line)} columns"
        if line != line.rstrip():
            yield f"{number}: blanks at the end of the line"
    yield from _reason_faults(text)


def _reason_faults(text: str) -> Iterator[str]:
    found: Counter[str] = Counter()
    for match in ASSERTED.finditer(text):
        number = text.count("\n", 0, match.start(1)) + 1
        reason = match.group(1)[1:-1]
        found[reason] += 1
        if not REASON.match(reason):
            yield f'{number}: reason "{reason}" does not read "module: reason"'
        if len(reason.encode()) > REASON_BYTES:
            yield f'{number}: reason "{reason}" has {len(reason.encode())} bytes, at most {REASON_BYTES} fit'
        if found[reason] == 2:
            yield f'{number}: reason "{reason}" stands twice; give it one `_check_` helper'


def main() -> int:
    """Print sizes and faults. Returns the exit code: 1 when anything must be put right."""
    found = [fault for path in sorted(compiler.CONTRACTS.rglob("*.vy*")) for fault in faults(path)]
    measured = sizes()
    for name, size in sorted(measured.items(), key=lambda entry: -entry[1]):
        note = "  over budget" if size > SIZE_BUDGET else ""
        print(f"{name:<24}{size:>7,} bytes{note}")
    found += too_big(measured)
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
