"""Opening a whole desk in a directory that is not as it should be: a code, and nothing changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import handrail
from handrail.errors import HandrailError
from tests.house.repo import ROOT

KEYS: Final = ("log.key", "vault.key")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A desk that was used and closed."""
    place = tmp_path / "desk"
    with handrail.open(place) as desk:
        desk.propose(desk.task(ticket="T-101"), "ticket.read", ticket="T-101")
        desk.checkpoint()
    return place


def _bytes(folder: Path) -> dict[str, bytes]:
    """Every file of a desk but the lock file, which says who opened it last."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(HandrailError) as refusal:
        call()
    return refusal.value.code


def _works(folder: Path) -> bool:
    """Whether the desk opens, takes an action and verifies."""
    with handrail.open(folder) as desk:
        desk.propose(desk.task(ticket="T-101"), "ticket.read", ticket="T-101")
        return desk.verify().good


@pytest.mark.parametrize("name", KEYS)
def test_a_missing_key_is_refused(folder: Path, name: str) -> None:
    """The desk does not open without its keys, and does with them put back."""
    key = folder / "keys" / name
    text = key.read_bytes()
    key.unlink()
    before = _bytes(folder)
    assert _code(lambda: handrail.open(folder)) == "key_missing"
    assert _bytes(folder) == before
    key.write_bytes(text)
    assert _works(folder)


def test_all_keys_missing_is_refused(folder: Path) -> None:
    """No new keys are made for an old desk."""
    shutil.rmtree(folder / "keys")
    before = _bytes(folder)
    assert _code(lambda: handrail.open(folder)) == "key_missing"
    assert _bytes(folder) == before


@pytest.mark.parametrize("name", KEYS)
def test_an_edited_key_is_refused(folder: Path, name: str) -> None:
    """One character is enough."""
    key = folder / "keys" / name
    text = key.read_text()
    key.write_text(text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:])
    before = _bytes(folder)
    assert _code(lambda: handrail.open(folder)) == "key_malformed"
    assert _bytes(folder) == before


@pytest.mark.parametrize("names", [KEYS[:1], KEYS[1:], KEYS], ids=lambda names: "+".join(names))
def test_another_desk_s_key_is_refused(folder: Path, tmp_path: Path, names: list[str]) -> None:
    """A key that is a key, but not this desk's."""
    handrail.open(tmp_path / "other").close()
    for name in names:
        shutil.copy(tmp_path / "other" / "keys" / name, folder / "keys" / name)
    assert _code(lambda: handrail.open(folder)) == "key_mismatch"


def test_keys_can_lie_elsewhere(tmp_path: Path) -> None:
    """On another disk, say; without the word where, the desk does not open."""
    desk, keys = tmp_path / "desk", tmp_path / "keys"
    handrail.open(desk, keys=keys).close()
    assert sorted(path.name for path in keys.iterdir()) == list(KEYS)
    assert not (desk / "keys").exists()
    handrail.open(desk, keys=keys).close()
    assert _code(lambda: handrail.open(desk)) == "key_missing"


def test_a_torn_checkpoint_does_not_keep_the_desk_shut(folder: Path) -> None:
    """What a power cut left of the last note is passed over."""
    notes = next((folder / "checkpoints").iterdir())
    with notes.open("ab") as file:
        file.write(b"handrail/main\n99\nAAAA")
    assert _works(folder)


def test_an_older_copy_of_the_database_is_refused(folder: Path, tmp_path: Path) -> None:
    """A restored backup that lacks what a kept checkpoint covers is not gone on with."""
    backup = tmp_path / "backup.db"
    shutil.copy(folder / "handrail.db", backup)
    assert _works(folder)
    shutil.copy(backup, folder / "handrail.db")
    assert _code(lambda: handrail.open(folder)) == "log_shrunk"


def test_a_second_opening_is_refused(folder: Path) -> None:
    """And takes nothing away from the first."""
    with handrail.open(folder) as desk:
        assert _code(lambda: handrail.open(folder)) == "store_locked"
        assert desk.verify().good
    assert _works(folder)


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    """The directory's name is taken by a file."""
    place = tmp_path / "desk"
    place.write_text("mine")
    assert _code(lambda: handrail.open(place)) == "directory_unwritable"
    assert place.read_text() == "mine"


AS_NOBODY: Final = """
import os, sys
from pathlib import Path
import handrail
from handrail.errors import HandrailError
root = Path(sys.argv[1])
handrail.open(root / "used").close()
(root / "empty").mkdir()
if os.getuid() == 0:
    for path in (root, *root.rglob("*")):
        os.chown(path, 65534, 65534)
    os.setgid(65534)
    os.setuid(65534)
for path in (root / "used" / "keys", root / "used", root / "empty", root):
    path.chmod(0o555)
for name in ("used", "empty", "missing"):
    try:
        handrail.open(root / name).close()
        print("opened")
    except HandrailError as error:
        print(error.code)
for path in (root, root / "used", root / "used" / "keys", root / "empty"):
    path.chmod(0o755)
handrail.open(root / "used").close()
print("opened")
"""


def test_a_read_only_directory_is_refused() -> None:
    """Used, empty or not there yet; once it is writable again, the desk opens."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        root.mkdir()
        Path(name).chmod(0o755)
        ran = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(root)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=True,
        )
    assert ran.stdout.split() == ["directory_unwritable"] * 3 + ["opened"]
