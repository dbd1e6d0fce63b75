"""Where keys come from, and what is said when one does not come."""

from __future__ import annotations

import io
import json

import pytest
from eth_account import Account

from prime_perps.keepers import keys
from prime_perps.keepers.keys import KeyUnavailable, load_key

KEY = "0x" + "11" * 32
ADDRESS = Account.from_key(KEY).address
PASSPHRASE = "correct horse"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in (keys.KEY_VARIABLE, keys.PASSPHRASE_VARIABLE, "APE_DATA_FOLDER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def encrypted():
    return json.dumps(Account.encrypt(KEY, PASSPHRASE, kdf="pbkdf2", iterations=10))


@pytest.fixture
def keystore(tmp_path, encrypted):
    path = tmp_path / "keeper.json"
    path.write_text(encrypted)
    return path


@pytest.fixture
def passphrase_file(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    return path


def test_load_key__keystore_and_passphrase_file__unlocks(keystore, passphrase_file):
    assert load_key(keystore=keystore, passphrase_file=passphrase_file).address == ADDRESS


def test_load_key__passphrase_in_the_environment__unlocks(keystore, monkeypatch):
    monkeypatch.setenv(keys.PASSPHRASE_VARIABLE, PASSPHRASE)
    assert load_key(keystore=keystore).address == ADDRESS


def test_load_key__ape_alias__is_found_in_apes_folder(tmp_path, encrypted, passphrase_file, monkeypatch):
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "night-shift.json").write_text(encrypted)
    monkeypatch.setenv("APE_DATA_FOLDER", str(tmp_path))
    assert load_key(alias="night-shift", passphrase_file=passphrase_file).address == ADDRESS
    with pytest.raises(KeyUnavailable, match=r"no ape account called day-shift \(known: night-shift\)"):
        load_key(alias="day-shift")


def test_load_key__private_key_in_the_environment__is_used(monkeypatch):
    monkeypatch.setenv(keys.KEY_VARIABLE, KEY)
    assert load_key().address == ADDRESS


def test_load_key__nothing_given__says_what_to_give():
    with pytest.raises(KeyUnavailable, match="give an account alias, a keystore file, or set PRIME_PERPS_KEY"):
        load_key()


def test_load_key__no_private_key_in_the_environment__does_not_repeat_it(monkeypatch):
    monkeypatch.setenv(keys.KEY_VARIABLE, "0xsecret")
    with pytest.raises(KeyUnavailable) as refused:
        load_key()
    assert "secret" not in str(refused.value)


def test_load_key__wrong_passphrase__names_the_file(keystore, passphrase_file):
    passphrase_file.write_text("battery staple")
    with pytest.raises(KeyUnavailable, match=r"wrong passphrase for keeper\.json"):
        load_key(keystore=keystore, passphrase_file=passphrase_file)


def test_load_key__no_passphrase_and_no_terminal__says_how_to_give_one(keystore, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(KeyUnavailable, match="PRIME_PERPS_PASSPHRASE"):
        load_key(keystore=keystore)


@pytest.mark.parametrize("text", ["", "not json", "{}", '{"crypto": {}}', "[]"])
def test_load_key__file_that_is_no_keystore__is_refused(tmp_path, passphrase_file, text):
    path = tmp_path / "notes.json"
    path.write_text(text)
    with pytest.raises(KeyUnavailable, match="is not a keystore file"):
        load_key(keystore=path, passphrase_file=passphrase_file)


def test_load_key__missing_files__are_named(tmp_path, keystore):
    with pytest.raises(KeyUnavailable, match=r"cannot read the keystore .*gone\.json: No such file"):
        load_key(keystore=tmp_path / "gone.json")
    with pytest.raises(KeyUnavailable, match=r"cannot read the passphrase file .*gone: No such file"):
        load_key(keystore=keystore, passphrase_file=tmp_path / "gone")


def test_load_key__alias_and_keystore__is_ambiguous(keystore):
    with pytest.raises(KeyUnavailable, match="not both"):
        load_key(alias="night-shift", keystore=keystore)
