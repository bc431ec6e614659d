"""The table of threats in the docs, and the tests that it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Threat", "faults_of", "threats_in"]

_ROW = re.compile(r"\| ([A-N]\d+) \| (.+?) \| (.+?) \| (.+?) \|")
_TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`")
NOT_HERE = "not here: "


class Threat(NamedTuple):
    """One case: what happens, what handrail does, and what shows it."""

    id: str
    case: str
    outcome: str
    shown: str


def threats_in(text: str) -> list[Threat]:
    """The rows of every table of threats, in order."""
    return [Threat(*found.groups()) for found in _ROW.finditer(text)]


def faults_of(threat: Threat, root: Path) -> Iterator[str]:
    """What is wrong with the last column: no test, one that is not there, or does not say so.

    A case without a test says why in words, after "not here: ".
    """
    named = _TEST.findall(threat.shown)
    if not named and not threat.shown.startswith(NOT_HERE):
        yield f"{threat.id}: neither a test nor a reason"
    for path, name in named:
        said = _docstring(root / path, name)
        if said is None:
            yield f"{threat.id}: there is no {path}::{name}"
        elif not re.search(rf"\b{threat.id}\b", said):
            yield f"{threat.id}: the docstring of {path}::{name} does not name it"


def _docstring(path: Path, name: str) -> str | None:
    if not path.exists():
        return None
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
    return None
