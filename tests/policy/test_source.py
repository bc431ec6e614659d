"""YAML as policies read it: nothing typed, nothing guessed, everything bounded."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.policy.source import (
    DEPTH_MAX,
    NODES_MAX,
    TEXT_BYTES_MAX,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    compose,
)

LAUGHS: Final = "l0: &l0 [x, x]\n" + "".join(
    f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 40)
)
DEEP: Final = "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1)

REFUSED: Final = [
    ("", 1, "the file is empty"),
    ("# only a comment\n", 1, "the file is empty"),
    ("a: b\n---\nc: d\n", 2, "a second document (`---`); one file holds one policy"),
    ("a: b\nc: d\na: e\n", 3, "`a` is given twice; the first is on line 1"),
    ("x: {b: 1,\n b: 2}\n", 2, "`b` is given twice; the first is on line 1"),
    ("'a': 1\na: 2\n", 2, "`a` is given twice; the first is on line 1"),
    ("x: &x {a: b}\ny:\n  <<: *x\n", 3, "`<<` (merging) is not read; write the keys out"),
    ("a: !!python/name:os.system x\n", 1, "tags are not read"),
    ("a: !!int '3'\n", 1, "tags are not read: `tag:yaml.org,2002:int`"),
    ("a: ! 3\n", 1, "tags are not read: `!`"),
    ("a: 1\n? [b]\n: c\n", 2, "a key must be text"),
    ("a: 1\nb: *c\n", 2, "the alias `c` stands for nothing above it"),
    ("a: &a [*a]\n", 1, "the alias `a` stands for nothing above it"),
    (LAUGHS, 13, f"more than {NODES_MAX} values, aliases counted in full"),
    ("a: [" + "x," * NODES_MAX + "]", 1, f"more than {NODES_MAX} values, aliases counted in full"),
    (DEEP, 1, f"nested more than {DEPTH_MAX} levels deep"),
    ("[" * 100_000, 1, f"nested more than {DEPTH_MAX} levels deep"),
    ("a: b\n" + "#" * TEXT_BYTES_MAX, 1, f"longer than {TEXT_BYTES_MAX} bytes"),
    ("a: b\nc: [d\n", 3, "not YAML: expected `,` or `]`, but got `<stream end>`"),
    ("a:\n\t- b\n", 2, "not YAML: found character `\\t` that cannot start any token"),
    ("a: b: c\n", 1, "not YAML: mapping values are not allowed here"),
    ("a: b\nc: \x00\n", 2, "the character U+0000 may not stand in a policy"),
    ("a: \ud800\n", 1, "the character U+D800 may not stand in a policy"),
    ("a: b\nc: d\u202ee\n", 2, "`\\u202e`: changes the direction of text"),
    ("a: b\n# see\u200b\n", 2, "`\\u200b`: invisible character"),
    ("a: b\np\u0430y: d\n", 2, "`p\\u0430y`: mixed scripts: cyrillic and latin"),
]


@pytest.mark.parametrize(("text", "line", "said"), REFUSED)
def test_refused(text: str, line: int, said: str) -> None:
    """Each text has one problem, on its line."""
    _, problems = compose(text)
    assert [problem.line for problem in problems] == [line]
    assert problems[0].text.startswith(said)


def plain(node: Node | None) -> object:
    """A tree as lists of pairs, lists and texts."""
    match node:
        case ScalarNode(text=text):
            return text
        case ListNode(items=items):
            return [plain(item) for item in items]
        case MapNode(entries=entries):
            return {key.text: plain(value) for key, value in entries}
        case None:
            return None


@pytest.mark.parametrize(
    "text",
    "NO no yes on Off true 1.10 1e308 .inf .nan 0123 0o17 0x1F 1_000 12:30:00 2026-01-01"
    " 10000000000000000000000 -5 = ~ null".split(),
)
def test_nothing_is_typed(text: str) -> None:
    """Every scalar stays the text it was."""
    assert plain(compose(f"a: {text}")[0]) == {"a": text}


def test_lines_are_counted_from_one() -> None:
    """Keys and values know their lines, after comments and long texts too."""
    root, problems = compose("# first\na: >\n  long\n  text\nb:\n  - c\n  - d: e\n")
    assert problems == []
    assert isinstance(root, MapNode)
    (a, long), (b, items) = root.entries
    assert (a.line, long.line, b.line) == (2, 2, 5)
    assert isinstance(items, ListNode)
    assert [item.line for item in items.items] == [6, 7]


def test_aliases_within_bounds_stand_for_their_value() -> None:
    """An anchor saves repeating; the value is the same."""
    root, problems = compose("a: &x {b: c}\nd: [*x, *x]\n")
    assert problems == []
    assert plain(root) == {"a": {"b": "c"}, "d": [{"b": "c"}, {"b": "c"}]}


def test_byte_order_mark_and_windows_line_ends_are_no_problem() -> None:
    """Editors on other systems write files that load."""
    root, problems = compose("\ufeffa: b\r\nc: d\r\n")
    assert problems == []
    assert plain(root) == {"a": "b", "c": "d"}


def test_depth_at_the_limit_is_read() -> None:
    """The limit itself is allowed."""
    _, problems = compose(DEEP[1:-1])
    assert problems == []
