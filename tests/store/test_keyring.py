"""Key files: made once, readable by their owner only, and refused when anything is odd."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from handrail.errors import HandrailError, SetupFailed
from handrail.store.keyring import Keyring

FILES: Final = ("log.key", "vault.key")


def _made(folder: Path) -> dict[str, str]:
    """The texts of new keys."""
    Keyring.create(folder, os.urandom)
    return {name: (folder / name).read_text() for name in FILES}


def test_keys_come_back(tmp_path: Path) -> None:
    """What was made is what is loaded, and it signs so that it verifies."""
    made = Keyring.create(tmp_path, os.urandom)
    loaded = Keyring.load(tmp_path)
    assert loaded.vault_key == made.vault_key
    assert loaded.verifier == made.verifier
    assert made.sign("body\n") == loaded.sign("body\n")


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    """Nobody else on the machine may read them."""
    folder = tmp_path / "keys"
    _made(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in FILES} == {0o600}


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    """Making keys where there are keys fails and leaves them."""
    before = _made(tmp_path)
    with pytest.raises(SetupFailed):
        Keyring.create(tmp_path, os.urandom)
    assert {name: (tmp_path / name).read_text() for name in FILES} == before


def test_a_crash_leaves_both_keys_or_none(tmp_path: Path) -> None:
    """The folder appears with everything in it; what a crash left beside it is cleared away."""

    def dying(count: int) -> bytes:
        if folder.exists() or len(list(tmp_path.rglob("*.key"))) == 1:
            raise AssertionError("half of the keys are there")
        return os.urandom(count)

    folder = tmp_path / "keys"
    half = tmp_path / ".keys.new"
    half.mkdir()
    (half / "log.key").write_text("half written")
    half.joinpath("vault.key").write_text("")
    Keyring.create(folder, dying)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys"]
    Keyring.load(folder)


def test_keys_that_cannot_be_made_leave_nothing(tmp_path: Path) -> None:
    """Something lies where the folder should be: an error by code, and no key anywhere."""
    (tmp_path / "keys").write_text("mine")
    with pytest.raises(SetupFailed) as refusal:
        Keyring.create(tmp_path / "keys", os.urandom)
    assert refusal.value.code == "directory_unwritable"
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


SPOILS: Final[dict[str, tuple[Callable[[str], str | bytes | None], str]]] = {
    "missing": (lambda text: None, "key_missing"),
    "empty": (lambda text: "", "key_malformed"),
    "cut": (lambda text: text[:-8], "key_malformed"),
    "one character edited": (
        lambda text: text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:],
        "key_malformed",
    ),
    "another first word": (lambda text: "X" + text[1:], "key_malformed"),
    "two lines": (lambda text: text + text, "key_malformed"),
    "not text": (lambda text: b"\xff\xfe\x00", "key_malformed"),
    "a sentence": (lambda text: "the key is under the mat\n", "key_malformed"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("what", SPOILS)
def test_a_spoilt_key_file_is_refused(tmp_path: Path, name: str, what: str) -> None:
    """By a code of its own, naming the file, and without repeating anything of the key."""
    texts = _made(tmp_path)
    spoil, code = SPOILS[what]
    spoilt = spoil(texts[name])
    path = tmp_path / name
    path.unlink()
    if isinstance(spoilt, bytes):
        path.write_bytes(spoilt)
    elif spoilt is not None:
        path.write_text(spoilt)
    with pytest.raises(HandrailError) as refusal:
        Keyring.load(tmp_path)
    assert refusal.value.code == code
    assert name in refusal.value.message
    pieces = [texts[name][at : at + 12] for at in range(30, len(texts[name]) - 12)]
    assert not [piece for piece in pieces if piece in refusal.value.message]


def test_the_key_files_cannot_be_exchanged(tmp_path: Path) -> None:
    """Each file is known by its first word."""
    texts = _made(tmp_path)
    for name, other in zip(FILES, reversed(FILES), strict=True):
        (tmp_path / name).write_text(texts[other])
    with pytest.raises(HandrailError) as refusal:
        Keyring.load(tmp_path)
    assert refusal.value.code == "key_malformed"
