"""`ape compile` gives the very bytecode that tests run and deployments send."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from prime_perps import compiler


def test_ape_compile__every_contract__same_creation_code(tmp_path: Path) -> None:
    """In a project of its own, so that the checkout's build folder does not matter."""
    for name in ("contracts", "ape-config.yaml"):
        (tmp_path / name).symlink_to(compiler.ROOT / name)
    tools = Path(sys.executable).parent
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    subprocess.run(
        [tools / "ape", "compile", "--force"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
        timeout=300,
    )
    compiled = json.loads((tmp_path / ".build" / "__local__.json").read_text())["contractTypes"]
    by_ape = {name: compiled[name]["deploymentBytecode"]["bytecode"] for name in compiler.contract_paths()}
    assert by_ape == {name: compiler.load(name).bytecode for name in compiler.contract_paths()}
