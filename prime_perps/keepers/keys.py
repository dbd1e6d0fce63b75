"""Where a key comes from: an ape account, a keystore file, or an environment variable; never the command line."""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from prime_perps.errors import PrimePerpsError

KEY_VARIABLE = "PRIME_PERPS_KEY"
PASSPHRASE_VARIABLE = "PRIME_PERPS_PASSPHRASE"


class KeyUnavailable(PrimePerpsError):
    """The key could not be found, read or unlocked."""


def load_key(
    *, alias: str | None = None, keystore: Path | None = None, passphrase_file: Path | None = None
) -> LocalAccount:
    """
    The signer behind an ape `alias`, or a `keystore` file, or, with neither, the private key in $PRIME_PERPS_KEY.
    The passphrase comes from `passphrase_file`, else $PRIME_PERPS_PASSPHRASE, else a prompt on a terminal.
    Raises KeyUnavailable.
    """
    if alias is not None and keystore is not None:
        raise KeyUnavailable("give an account alias or a keystore file, not both")
    if alias is not None:
        keystore = ape_keystore(alias)
    if keystore is not None:
        return _unlock(keystore, passphrase_file)
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise KeyUnavailable(f"no key: give an account alias, a keystore file, or set {KEY_VARIABLE}")
    try:
        return Account.from_key(key)  # type: ignore[no-any-return]
    except Exception:
        # The library's own messages repeat what they were given.
        raise KeyUnavailable(f"{KEY_VARIABLE} does not hold a private key (64 hex digits)") from None


def ape_keystore(alias: str) -> Path:
    """The keystore file of an ape account. Raises KeyUnavailable, naming the aliases there are."""
    folder = Path(os.environ.get("APE_DATA_FOLDER") or Path.home() / ".ape") / "accounts"
    path = folder / f"{alias}.json"
    if not path.is_file():
        known = ", ".join(sorted(entry.stem for entry in folder.glob("*.json"))) or "none"
        raise KeyUnavailable(f"no ape account called {alias} (known: {known})")
    return path


def _unlock(keystore: Path, passphrase_file: Path | None) -> LocalAccount:
    try:
        encrypted = json.loads(keystore.read_text())
    except OSError as error:
        raise KeyUnavailable(f"cannot read the keystore {keystore}: {error.strerror}") from None
    except ValueError:
        raise KeyUnavailable(f"{keystore} is not a keystore file") from None
    passphrase = _passphrase(keystore, passphrase_file)
    try:
        return Account.from_key(Account.decrypt(encrypted, passphrase))  # type: ignore[no-any-return]
    except (ValueError, KeyError, TypeError) as error:
        wrong = "MAC mismatch" in str(error)
        raise KeyUnavailable(
            f"wrong passphrase for {keystore.name}" if wrong else f"{keystore} is not a keystore file"
        ) from None


def _passphrase(keystore: Path, passphrase_file: Path | None) -> str:
    if passphrase_file is not None:
        try:
            return passphrase_file.read_text().rstrip("\r\n")
        except OSError as error:
            raise KeyUnavailable(f"cannot read the passphrase file {passphrase_file}: {error.strerror}") from None
    if PASSPHRASE_VARIABLE in os.environ:
        return os.environ[PASSPHRASE_VARIABLE]
    if not sys.stdin.isatty():
        raise KeyUnavailable(f"no passphrase for {keystore.name}: give a passphrase file or set {PASSPHRASE_VARIABLE}")
    return getpass.getpass(f"Passphrase for {keystore.name}: ")
