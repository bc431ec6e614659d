"""One home per noun: every public class of handrail with the module that owns it.

`python tools/nouns.py` prints the list, sorted. After looking at what is new in it:
`python tools/nouns.py > tests/house/nouns.txt`. It exits 2 when two classes share a name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Noun", "homeless_names", "listing", "main", "nouns_in", "nouns_of"]

SOURCE: Final = Path(__file__).resolve().parents[1] / "src"


class Noun(NamedTuple):
    """One public class: its name and the module that it lives in."""

    name: str
    module: str


def nouns_of(module: str, text: str) -> list[Noun]:
    """The public classes that a module's source defines at its top level."""
    return [
        Noun(node.name, module)
        for node in _top_level(ast.parse(text).body)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


def nouns_in(source: Path) -> list[Noun]:
    """The public classes of every module below `source`, sorted by name."""
    found: list[Noun] = []
    for path in source.rglob("*.py"):
        parts = path.relative_to(source).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.extend(nouns_of(module, path.read_text()))
    return sorted(found)


def homeless_names(nouns: Iterable[Noun]) -> list[str]:
    """One complaint for each name that more than one class carries."""
    homes: dict[str, list[str]] = {}
    for noun in nouns:
        homes.setdefault(noun.name, []).append(noun.module)
    return [
        f"`{name}` is the name of {len(modules)} classes: {', '.join(modules)}"
        for name, modules in homes.items()
        if len(modules) > 1
    ]


def listing(nouns: Iterable[Noun]) -> str:
    """The list as tests/house/nouns.txt holds it: `Noun module`, one a line."""
    return "".join(f"{noun.name} {noun.module}\n" for noun in nouns)


def main() -> int:
    """Print the list, then what is wrong with it on standard error."""
    nouns = nouns_in(SOURCE)
    print(listing(nouns), end="")
    complaints = homeless_names(nouns)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 2 if complaints else 0


def _top_level(body: list[ast.stmt]) -> Iterable[ast.stmt]:
    """The statements of a module, looking into `if` and `try`: both define at the top level."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _top_level([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            handlers = [statement for handler in node.handlers for statement in handler.body]
            yield from _top_level([*node.body, *handlers, *node.orelse, *node.finalbody])


if __name__ == "__main__":
    sys.exit(main())
