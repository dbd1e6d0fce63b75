#!/bin/sh
# Resolve pyproject.toml in a clean environment and write every version down. No hosts, no paths: any index serves it.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
.venv/bin/python -m venv "$scratch/venv"
.venv/bin/python - >"$scratch/direct.txt" <<'PY'
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
print("\n".join(project["dependencies"] + project["optional-dependencies"]["dev"]))
PY
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$scratch/direct.txt"
"$scratch/venv/bin/python" -m pip check
{
    echo "# Every package of the environment, exactly. Written by \`make lock\` from pyproject.toml."
    "$scratch/venv/bin/python" -m pip freeze --all --exclude pip --exclude wheel | LC_ALL=C sort -f
} >requirements.lock
