#!/bin/sh
# Make the environment of this checkout: .venv from requirements.lock, anvil from npm unless a fitting one is on PATH.
# Says in one line what is missing and how to get it. Safe to run again.
set -eu
cd "$(dirname "$0")/.."

ANVIL_VERSION=1.7.1

fail() {
    echo "setup: $*" >&2
    exit 1
}

# A command on PATH proves nothing (version managers leave stubs), so each candidate is run.
find_python() {
    for candidate in ${PYTHON:-python3.11 python3.12 python3 python}; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    fail "needs Python 3.11 or 3.12; install it (Debian: apt-get install python3 python3-venv, macOS: brew install" \
        "python@3.12) or name it: make PYTHON=/path/to/python3.12"
}

make_environment() {
    if ! .venv/bin/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' >/dev/null 2>&1; then
        python=$(find_python)
        "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
            fail "$python has no venv module; install it (Debian: apt-get install python3-venv)"
        rm -rf .venv
        "$python" -m venv .venv || fail "$python -m venv .venv failed (see above)"
    fi
    echo "setup: installing Python packages into .venv (a few minutes the first time)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock ||
        fail "pip could not install requirements.lock (see above); is the package index reachable?"
    # Editable, so that contracts/ and prime_perps/ are always those of this checkout.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ||
        fail "pip could not install prime_perps itself (see above)"
}

fitting_anvil() {
    "$1" --version 2>/dev/null | head -n 1 | grep -Eq '^anvil (Version: )?1\.'
}

platform() {
    case "$(uname -s)" in
        Linux) system=linux ;;
        Darwin) system=darwin ;;
        *) return 1 ;;
    esac
    case "$(uname -m)" in
        x86_64 | amd64) echo "$system-amd64" ;;
        aarch64 | arm64) echo "$system-arm64" ;;
        *) return 1 ;;
    esac
}

install_anvil() {
    if found=$(command -v anvil) && [ "$found" != "$PWD/.venv/bin/anvil" ] && fitting_anvil "$found"; then
        # A link of an earlier run would hide the one on PATH.
        rm -f .venv/bin/anvil
        return
    fi
    way_out="install Foundry 1.x so that \`anvil --version\` works (https://getfoundry.sh)"
    name=$(platform) || fail "no anvil for this platform on npm; $way_out"
    binary=.tools/node_modules/@foundry-rs/anvil-$name/bin/anvil
    if ! fitting_anvil "$binary"; then
        command -v npm >/dev/null 2>&1 ||
            fail "needs npm to get anvil (Debian: apt-get install npm, macOS: brew install node), or $way_out"
        echo "setup: installing anvil $ANVIL_VERSION into .tools"
        mkdir -p .tools
        cp package.json package-lock.json .tools/
        # The platform's own package holds the binary; the usual front package would start node before each run, and
        # its install script looks for the binary elsewhere. The lock file can name Linux x86-64 only.
        case "$name" in
            linux-amd64) set -- ci ;;
            *) set -- install --no-save "@foundry-rs/anvil-$name@$ANVIL_VERSION" ;;
        esac
        npm "$@" --ignore-scripts --no-audit --no-fund --loglevel=error --prefix .tools >/dev/null ||
            fail "npm could not install anvil (see above); $way_out"
        fitting_anvil "$binary" || fail "$binary does not run on this machine; $way_out"
    fi
    # ape looks for `anvil` on PATH, and .venv/bin is on it.
    ln -sf "../../$binary" .venv/bin/anvil
}

make_environment
install_anvil
echo "setup: done"
