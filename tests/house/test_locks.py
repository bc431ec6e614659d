"""What is installed is locked by hash, and no lock says where to fetch it from."""

from __future__ import annotations

import tomllib
from typing import Final

import pytest

from tests.house.locks import bare, lock_files, pins, undeclared, unhashed, wanted
from tests.house.repo import ROOT, python_files, read_text
from tools.lock import LOCKS, foreign_lines


def test_every_pin_has_its_hash() -> None:
    """Nothing can be installed from a lock that was not looked at when it was made."""
    locks = lock_files()
    assert {f"requirements/{name}.txt" for name in LOCKS} <= {str(path) for path in locks}
    for path in locks:
        assert unhashed((ROOT / path).read_text()) == [], path


def test_no_lock_says_where_from() -> None:
    """No address, no path and no option of the installer in any lock."""
    for path in lock_files():
        assert foreign_lines((ROOT / path).read_text()) == [], path


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_what_is_wanted(name: str) -> None:
    """Whatever a `.in` file names is in its lock or in one that is installed before it."""
    held: set[str] = set()
    for lock in (*LOCKS[name], name):
        held |= set(pins((ROOT / "requirements" / f"{lock}.txt").read_text()))
    names = {bare(line) for line in wanted(name)}
    assert names
    assert names <= held


def test_locks_agree() -> None:
    """The same distribution has the same version in every lock that is installed together."""
    seen: dict[str, str] = {}
    for name in LOCKS:
        for distribution, version in pins(
            (ROOT / "requirements" / f"{name}.txt").read_text()
        ).items():
            assert seen.setdefault(distribution, version) == version, distribution


def test_package_wants_what_is_locked() -> None:
    """The package's metadata and the lock start from the same list."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dependencies"] == wanted("runtime")
    assert sorted(project["build-system"]["requires"]) == sorted(wanted("build"))


def test_handrail_imports_only_what_it_declares() -> None:
    """No import works only because of the tests' own tools, or of a dependency's dependency."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    declared = {bare(line) for lines in (project["dependencies"], *extras) for line in lines}
    found = [
        f"{path}: `{module}`"
        for path in python_files("src")
        for module in undeclared(read_text(path) or "", declared)
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pytest", ["pytest"]),
        ("def f():\n    from pymerkle.hasher import x", ["pymerkle.hasher"]),
        ("import markupsafe", ["markupsafe"]),
        ("import not_installed_anywhere", ["not_installed_anywhere"]),
        ("import json, handrail.core\nimport yaml\nfrom . import x", []),
    ],
)
def test_undeclared_import_is_found(source: str, found: list[str]) -> None:
    """What is installed for another reason is not ours to import."""
    assert undeclared(source, {"pyyaml"}) == found


HASH: Final = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("lock", "left"),
    [
        (f"a==1 \\\n    {HASH}\n", []),
        (f"a==1 ; os_name == 'nt' \\\n    {HASH} \\\n    {HASH}\n    # via b\n", []),
        ("a==1\n", ["a==1"]),
        (f"a==1\nb==2 \\\n    {HASH}\n", ["a==1"]),
        (f"a>=1 \\\n    {HASH}\n", ["a>=1", "\\", HASH]),
        ("a==1 \\\n    --hash=md5:00\n", ["a==1", "\\", "--hash=md5:00"]),
    ],
)
def test_unhashed_pin_is_found(lock: str, left: list[str]) -> None:
    """A pin without its SHA-256 stays over."""
    assert unhashed(lock) == left


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://index.example/simple",
        "-i index.example",
        "--find-links wheels",
        "a @ git+ssh://git.example/a",
        "./wheels/a.whl",
        "# made with --index-url https://index.example",
    ],
)
def test_address_in_a_lock_is_found(line: str) -> None:
    """Each way of saying where from is found among good lines."""
    assert foreign_lines(f"a==1 \\\n    {HASH}\n    # via b\n{line}\n") == [line]
