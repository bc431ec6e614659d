"""Desks that cannot be opened or made: a code each, and everything as it was."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

import handrail
from tests.cli.shell import PASSWORD, contents, run, run_each, said, small_disk, unprivileged

WRITING: Final = (("serve", "{}", "--port", "0"), ("person", "password", "{}", "dana"))
READING: Final = (("log", "verify", "{}"),)


def refusals(
    desk: Path, commands: tuple[tuple[str, ...], ...], before: Callable[[], None] | None = None
) -> set[str]:
    """The codes with which the commands are refused; the desk must be left as it was."""
    kept = contents(desk) if desk.is_dir() else {}
    codes = set()
    for words in commands:
        line = [desk if word == "{}" else word for word in words]
        codes.add(said(run(*line, typed=PASSWORD, before=before)))
    assert (contents(desk) if desk.is_dir() else {}) == kept
    return codes


def spoil_key(name: str) -> Callable[[Path], None]:
    """Change one letter of a key file."""

    def spoil(desk: Path) -> None:
        file = desk / "keys" / name
        text = file.read_text()
        file.write_text(text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:])

    return spoil


def foreign_keys(desk: Path) -> None:
    """The keys of another desk."""
    handrail.open(desk.with_name("other")).close()
    shutil.rmtree(desk / "keys")
    shutil.copytree(desk.with_name("other") / "keys", desk / "keys")


def sql(text: str) -> Callable[[Path], None]:
    """Run SQL on the desk's database."""

    def alter(desk: Path) -> None:
        database = sqlite3.connect(desk / "handrail.db", isolation_level=None)
        database.executescript(text)
        database.close()

    return alter


def overwrite(start: int, data: bytes) -> Callable[[Path], None]:
    """Write bytes over the desk's database."""

    def damage(desk: Path) -> None:
        with (desk / "handrail.db").open("r+b") as file:
            file.seek(start)
            file.write(data)

    return damage


SPOILED: Final[dict[str, tuple[Callable[[Path], None], str]]] = {
    "no keys": (lambda desk: shutil.rmtree(desk / "keys"), "key_missing"),
    "no vault key": (lambda desk: (desk / "keys/vault.key").unlink(), "key_missing"),
    "edited log key": (spoil_key("log.key"), "key_malformed"),
    "edited vault key": (spoil_key("vault.key"), "key_malformed"),
    "binary key": (lambda desk: spoiled_bytes(desk / "keys/log.key"), "key_malformed"),
    "newer": (sql("PRAGMA user_version = 99"), "store_newer"),
    "another program's": (sql("PRAGMA application_id = 7"), "store_damaged"),
    "not a database": (overwrite(0, b"hello " * 4000), "store_damaged"),
    "cut short": (lambda desk: cut(desk / "handrail.db"), "store_damaged"),
    "overwritten": (overwrite(4096, b"\xa5" * 60_000), "store_damaged"),
}


def spoiled_bytes(file: Path) -> None:
    """A key file that is not text."""
    file.write_bytes(b"\xff\x00" * 40)


def cut(file: Path) -> None:
    """Half of a file."""
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def test_spoiled_desk(copies: Callable[[int], list[Path]]) -> None:
    """Keys missing or edited, a newer or damaged database: its code, and nothing is mended."""
    desks = dict(zip(SPOILED, copies(len(SPOILED)), strict=True))
    for name, desk in desks.items():
        SPOILED[name][0](desk)
    before = {name: contents(desk) for name, desk in desks.items()}
    answers = run_each([("serve", desk) for desk in desks.values()])
    codes = {name: said(done) for name, done in zip(desks, answers, strict=True)}
    assert codes == {name: code for name, (_, code) in SPOILED.items()}
    looked_at = {name: desks[name] for name in ("no keys", "newer", "cut short", "overwritten")}
    for name, done in zip(
        looked_at, run_each([("log", "verify", desk) for desk in looked_at.values()]), strict=True
    ):
        assert said(done) == SPOILED[name][1]
    assert {name: contents(desk) for name, desk in desks.items()} == before


def test_keys_of_another_desk(desk: Path) -> None:
    """Well-formed but wrong keys are refused before anything is written with them."""
    foreign_keys(desk)
    assert refusals(desk, WRITING) == {"key_mismatch"}


def test_log_that_was_cut(desk: Path) -> None:
    """A database older than its last saved checkpoint does not open for writing."""
    old = desk.with_name("old.db")
    shutil.copy(desk / "handrail.db", old)
    assert run("agent", "key", desk, "scout").returncode == 0
    shutil.copy(old, desk / "handrail.db")
    assert refusals(desk, WRITING) == {"log_shrunk"}
    assert run("log", "verify", desk).returncode == 1


def test_no_desk_there(tmp_path: Path) -> None:
    """Commands about a desk that is not there make none."""
    (tmp_path / "file").write_text("hello")
    (tmp_path / "empty").mkdir()
    before = contents(tmp_path)
    places = [tmp_path / place for place in ("none", "empty", "file", "file/below")]
    commands = ("person password {} dana", "agent key {} scout", "erase {} C-1", "log show {}")
    lines: list[list[str | Path]] = [
        [place if word == "{}" else word for word in command.split()]
        for place, command in zip(places, commands, strict=True)
    ]
    assert {said(done) for done in run_each(lines, typed=PASSWORD)} == {"desk_not_found"}
    assert contents(tmp_path) == before


def test_place_where_no_desk_can_be(tmp_path: Path) -> None:
    """A file instead of a directory, a name that is too long."""
    (tmp_path / "file").write_text("hello")
    before = contents(tmp_path)
    places = (tmp_path / "file", tmp_path / "file" / "x", tmp_path / ("x" * 300))
    commands = ("init", "serve", "demo --headless --directory")
    lines: list[tuple[str | Path, ...]] = [
        (*command.split(), place) for place, command in zip(places, commands, strict=True)
    ]
    assert {said(done) for done in run_each(lines)} == {"directory_unwritable"}
    assert contents(tmp_path) == before


def test_name_of_a_desk(tmp_path: Path) -> None:
    """It stands in the first line of every checkpoint."""
    names = ("a\nb", "x" * 65)
    lines = [("init", tmp_path / "new", "--desk", name) for name in names]
    assert {said(done) for done in run_each(lines)} == {"setting_malformed"}
    assert not (tmp_path / "new").exists()


def test_unknown_desk(desk: Path) -> None:
    """A desk that the directory does not have is not made by mistake."""
    other = tuple((*words, "--desk", "other") for words in (WRITING[0], READING[0]))
    assert refusals(desk, other) == {"desk_not_found"}


def test_second_making(desk: Path) -> None:
    """`init` and `demo` want a place without a desk."""
    again = (("init", "{}"), ("demo", "--headless", "--directory", "{}"))
    assert refusals(desk, again) == {"desk_exists"}


def test_several_make_it_at_once(tmp_path: Path) -> None:
    """One of them does; who comes in between is refused, and nobody spoils anything."""
    answers = run_each([("init", tmp_path / "new")] * 3)
    assert 0 in [done.returncode for done in answers]
    codes = {said(done) for done in answers if done.returncode}
    assert codes <= {"desk_exists", "store_locked"}
    with handrail.open(tmp_path / "new") as desk:
        assert desk.verify().good


@pytest.fixture
def locked(desk: Path) -> Iterator[Path]:
    """The desk in a directory that may be read and not written."""
    places = [desk, *desk.rglob("*")]
    for place in places:
        place.chmod(0o500 if place.is_dir() else 0o400)
    yield desk
    for place in places:
        place.chmod(0o700 if place.is_dir() else 0o600)


def test_read_only_directory(locked: Path) -> None:
    """Nothing writes there, and a desk can be looked at all the same."""
    assert refusals(locked, WRITING, unprivileged) == {"directory_unwritable"}
    assert said(run("init", locked / "new", before=unprivileged)) == "directory_unwritable"
    done = run("log", "verify", locked, before=unprivileged)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("most", [0, 5_000, 150_000])
def test_no_room_to_make_a_desk(tmp_path: Path, most: int) -> None:
    """A disk that fills up at any moment of the making leaves no half desk behind."""
    lines = [("init", tmp_path / "a"), ("demo", "--headless", "--directory", tmp_path / "b")]
    for done in run_each(lines, before=small_disk(most)):
        assert said(done) in {"directory_unwritable", "store_full", "store_failed"}
    assert list(tmp_path.iterdir()) == []


def test_no_room_to_write(desk: Path) -> None:
    """A full disk under a desk that is there: refused, nothing changed, still whole."""
    assert refusals(desk, WRITING, small_disk(100)) <= {"store_full", "store_failed"}


def test_keys_elsewhere(tmp_path: Path) -> None:
    """`--keys` or HANDRAIL_KEYS goes with every command; without it the keys are missing."""
    desk, keys = tmp_path / "desk", tmp_path / "vault"
    keys.mkdir()
    assert run("init", desk, "--keys", keys).returncode == 0
    assert sorted(file.name for file in keys.iterdir()) == ["log.key", "vault.key"]
    assert not (desk / "keys").exists()
    assert refusals(desk, (WRITING[1], READING[0])) == {"key_missing"}
    there = {"HANDRAIL_KEYS": str(keys)}
    assert run("person", "add", desk, "dana", typed=PASSWORD, more=there).returncode == 0
    assert run("agent", "add", desk, "scout", "--owner", "dana", "--keys", keys).returncode == 0
    assert run("log", "verify", desk, more=there).returncode == 0
