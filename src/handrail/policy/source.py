"""From YAML text to nodes with line numbers; nothing is typed, guessed or executed here.

PyYAML splits the text into events; the tree is put together here, so that depth, size, duplicate
keys and aliases are bounded before anything is built, and every scalar stays the text it was
(`NO` is not false, `1.10` is not a float, `0123` is not octal, `2026-01-01` is not a date).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
import yaml

from handrail.core.canonical import quoted
from handrail.core.text import hidden_marks
from handrail.policy.problem import Problem

__all__ = [
    "DEPTH_MAX",
    "HIDDEN_MAX",
    "NODES_MAX",
    "TEXT_BYTES_MAX",
    "ListNode",
    "MapNode",
    "Node",
    "ScalarNode",
    "compose",
]

TEXT_BYTES_MAX: Final = 256 * 1024
"""Longest policy file, in bytes."""

DEPTH_MAX: Final = 12
"""Lists and maps inside one another."""

NODES_MAX: Final = 20_000
"""Values in one file, with every alias counted as what it stands for."""

HIDDEN_MAX: Final = 20
"""Hidden characters of one file that are reported."""


class ScalarNode(msgspec.Struct, frozen=True, kw_only=True):
    """One text. `plain` says that it stood without quotes."""

    text: str
    line: int
    plain: bool = False


class ListNode(msgspec.Struct, frozen=True, kw_only=True):
    """A list. `size` counts its values, and those inside them."""

    items: tuple[Node, ...]
    line: int
    size: int


class MapNode(msgspec.Struct, frozen=True, kw_only=True):
    """A map, its entries in the order of the file; no key occurs twice."""

    entries: tuple[tuple[ScalarNode, Node], ...]
    line: int
    size: int


Node = ScalarNode | ListNode | MapNode


class _Stop(Exception):
    """The text cannot be read on from here."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line=line, text=text)


def compose(text: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a YAML text, or None when it cannot be read, and every problem found.

    Refused: more than one document, tags, merge keys, keys that are not text or occur twice,
    invisible and look-alike characters (in comments too), and what exceeds the limits above.
    """
    text = text.removeprefix("\ufeff")
    if len(text.encode(errors="replace")) > TEXT_BYTES_MAX:
        return None, [Problem(line=1, text=f"longer than {TEXT_BYTES_MAX} bytes")]
    problems = _hidden(text)
    try:
        composer = _Composer(yaml.parse(text, Loader=yaml.SafeLoader), problems)
        return composer.document(), problems
    except _Stop as stop:
        return None, [*problems, stop.problem]
    except yaml.MarkedYAMLError as error:
        return None, [*problems, _syntax(error)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"the character U+{ord(text[error.position]):04X} may not stand in a policy"
        return None, [Problem(line=line, text=what)]


def _hidden(text: str) -> list[Problem]:
    """What a person who reads the file would not see, or take for something else."""
    return [
        Problem(
            line=text.count("\n", 0, mark.start) + 1,
            text=f"{quoted(text[mark.start : mark.end])}: {mark.what}",
        )
        for mark in hidden_marks(text)[:HIDDEN_MAX]
    ]


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = (error.problem or error.context or "cannot be read").replace("'", "`")
    return Problem(line=mark.line + 1 if mark else 1, text=f"not YAML: {said}")


class _Composer:
    """Builds the tree from events, one document, within the limits."""

    def __init__(self, events: Iterator[yaml.Event], problems: list[Problem]) -> None:
        self._events = events
        self._problems = problems
        self._anchors: dict[str, Node] = {}
        self._nodes = 0

    def document(self) -> Node:
        """The only document of the text."""
        for event in self._events:
            if isinstance(event, yaml.StreamEndEvent):
                raise _Stop(1, "the file is empty")
            if isinstance(event, yaml.DocumentStartEvent):
                break
        root = self._node(next(self._events), 0)
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                raise _Stop(_line(event), "a second document (`---`); one file holds one policy")
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line)
        self._count(1, line)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _Stop(line, f"tags are not read: {quoted(tag)}")
        node: Node
        match event:
            case yaml.ScalarEvent(value=value):
                node = ScalarNode(text=value, line=line, plain=event.style is None)
            case yaml.SequenceStartEvent():
                node = self._list(line, depth + 1)
            case _:
                node = self._map(line, depth + 1)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _alias(self, event: yaml.AliasEvent, line: int) -> Node:
        # Anchors are noted when their value is complete, so that nothing can contain itself.
        name = event.anchor or ""
        node = self._anchors.get(name)
        if node is None:
            raise _Stop(line, f"the alias {quoted(name)} stands for nothing above it")
        self._count(_size(node), line)
        return node

    def _list(self, line: int, depth: int) -> ListNode:
        self._check_depth(depth, line)
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth))
        size = 1 + sum(map(_size, items))
        return ListNode(items=tuple(items), line=line, size=size)

    def _map(self, line: int, depth: int) -> MapNode:
        self._check_depth(depth, line)
        entries: dict[str, tuple[ScalarNode, Node]] = {}
        size = 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth)
            if not isinstance(key, ScalarNode):
                raise _Stop(key.line, "a key must be text")
            value = self._node(next(self._events), depth)
            size += 1 + _size(value)
            first = entries.get(key.text)
            if first is not None:
                self._report(key, f"is given twice; the first is on line {first[0].line}")
            elif key.text == "<<" and key.plain:
                self._report(key, "(merging) is not read; write the keys out")
            else:
                entries[key.text] = (key, value)
        return MapNode(entries=tuple(entries.values()), line=line, size=size)

    def _report(self, key: ScalarNode, text: str) -> None:
        self._problems.append(Problem(line=key.line, text=f"{quoted(key.text)} {text}"))

    def _check_depth(self, depth: int, line: int) -> None:
        if depth > DEPTH_MAX:
            raise _Stop(line, f"nested more than {DEPTH_MAX} levels deep")

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > NODES_MAX:
            raise _Stop(line, f"more than {NODES_MAX} values, aliases counted in full")


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return 1 if mark is None else mark.line + 1


def _size(node: Node) -> int:
    return 1 if isinstance(node, ScalarNode) else node.size
