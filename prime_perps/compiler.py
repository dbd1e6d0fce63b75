"""Compile the Vyper contracts, once per change of their sources.

One compile path serves deployment through ape, the keepers' own node client and the in-process EVM of the tests, so all
of them run the same bytecode. The cache remembers the hash of every file a contract was built from, modules and
interfaces included, so an edited module never leaves a stale importer behind.
"""

from __future__ import annotations

import hashlib
import json
import site
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
CACHE = ROOT / "build" / "artifacts"
EVM_VERSION = "cancun"


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: its name, ABI, creation code and runtime code."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    runtime: str


def contract_paths() -> dict[str, Path]:
    """Every deployable contract by name; a PascalCase file outside modules/ and interfaces/ is one."""
    skip = {CONTRACTS / "modules", CONTRACTS / "interfaces"}
    found = (path for path in CONTRACTS.rglob("*.vy") if not skip & set(path.parents))
    return {path.stem: path for path in sorted(found)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _search_paths() -> list[Path]:
    installed = [Path(entry) for entry in (*site.getsitepackages(), *sys.path) if entry.endswith("site-packages")]
    return [*dict.fromkeys(installed), ROOT]


def _cached(name: str) -> Artifact | None:
    entry = CACHE / f"{name}.json"
    if not entry.exists():
        return None
    stored = json.loads(entry.read_text())
    for file, digest in stored["sources"].items():
        path = ROOT / file if not Path(file).is_absolute() else Path(file)
        if not path.exists() or _digest(path) != digest:
            return None
    return Artifact(**stored["artifact"])


def _build(name: str) -> Artifact:
    """Compile one contract and remember what it was built from. Raises vyper's own error, with its source line."""
    from vyper.compiler import compile_from_file_input
    from vyper.compiler.input_bundle import FilesystemInputBundle
    from vyper.compiler.settings import Settings

    sources: dict[str, str] = {}

    class RecordingBundle(FilesystemInputBundle):
        def _load_from_path(self, resolved_path: Path, original_path: Path) -> Any:
            loaded = super()._load_from_path(resolved_path, original_path)
            path = Path(resolved_path)
            if path.suffix in (".vy", ".vyi"):
                inside = path.is_relative_to(ROOT)
                sources[str(path.relative_to(ROOT) if inside else path)] = _digest(path)
            return loaded

    path = contract_paths()[name]
    bundle = RecordingBundle(_search_paths())
    output = compile_from_file_input(
        bundle.load_file(path),
        input_bundle=bundle,
        settings=Settings(evm_version=EVM_VERSION),
        output_formats=["abi", "bytecode", "bytecode_runtime"],
    )
    artifact = Artifact(name, output["abi"], output["bytecode"], output["bytecode_runtime"])
    CACHE.mkdir(parents=True, exist_ok=True)
    entry = CACHE / f"{name}.json"
    scratch = entry.with_suffix(f".{hashlib.sha256(str(sources).encode()).hexdigest()[:8]}")
    scratch.write_text(json.dumps({"sources": sources, "artifact": asdict(artifact)}))
    scratch.replace(entry)
    return artifact


@cache
def load(name: str) -> Artifact:
    """The up-to-date artifact of one contract. Raises KeyError for a name that has no source."""
    if name not in contract_paths():
        raise KeyError(f"no contract named {name} under contracts/")
    return _cached(name) or _build(name)


def load_all(names: Iterable[str] | None = None) -> dict[str, Artifact]:
    """All artifacts, compiling what changed on every core."""
    wanted = list(names or contract_paths())
    stale = [name for name in wanted if _cached(name) is None]
    if len(stale) > 1:
        with ProcessPoolExecutor() as pool:
            list(pool.map(_build, stale))
    return {name: load(name) for name in wanted}
