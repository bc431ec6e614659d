"""One home per noun: nouns are rationed, so that two classes never mean nearly the same."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.house.repo import ROOT
from tools.nouns import Noun, homeless_names, listing, nouns_in, nouns_of

LIST: Final = ROOT / "tests" / "house" / "nouns.txt"
MEND: Final = (
    "\nIs the new noun in the words table of the docs, or could an old one carry it?"
    "\nThen refresh the list and read what changed:"
    "\n    python tools/nouns.py > tests/house/nouns.txt && git diff tests/house/nouns.txt"
)


def test_no_two_classes_share_a_name() -> None:
    """A public class name is used once in all of handrail."""
    found = homeless_names(nouns_in(ROOT / "src"))
    assert not found, "\n" + "\n".join(found) + "\nRename one after what makes it different."


def test_every_noun_is_listed() -> None:
    """The list holds exactly the public classes that there are."""
    listed = set(LIST.read_text().splitlines())
    present = set(listing(nouns_in(ROOT / "src")).splitlines())
    new = [f"not in the list: {line}" for line in sorted(present - listed)]
    gone = [f"only in the list: {line}" for line in sorted(listed - present)]
    assert not new + gone, "\n" + "\n".join([*new, *gone]) + MEND


def test_list_is_sorted_and_without_repeats() -> None:
    """The list has one line a noun, in order, so that a diff shows what changed."""
    lines = LIST.read_text().splitlines()
    assert lines
    assert lines == sorted(set(lines))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("class Money: ...\nclass _Parser: ...\n", ["Money"]),
        ("class Outer:\n    class Inner: ...\n", ["Outer"]),
        ("try:\n    class A: ...\nexcept E:\n    class B: ...\n", ["A", "B"]),
        ("if x:\n    class A: ...\nelse:\n    class B: ...\n", ["A", "B"]),
        ("def f():\n    class Local: ...\n", []),
    ],
)
def test_public_classes_are_found(text: str, names: list[str]) -> None:
    """Only what a module defines at its top level, and without an underscore, is a noun."""
    assert [noun.name for noun in nouns_of("handrail.x", text)] == names


def test_second_class_of_a_name_is_found(tmp_path: Path) -> None:
    """Two modules with a class of the same name are named in one complaint."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "__init__.py").write_text("class Entry: ...\n")
    (tmp_path / "b.py").write_text("class Entry: ...\nclass Other: ...\n")
    nouns = nouns_in(tmp_path)
    assert nouns == [Noun("Entry", "a"), Noun("Entry", "b"), Noun("Other", "b")]
    assert homeless_names(nouns) == ["`Entry` is the name of 2 classes: a, b"]
