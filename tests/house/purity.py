"""What makes the core pure, as a function of a source text. It returns its complaints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

__all__ = ["impurities"]

# Every name here was looked at: none of these reads a clock, a file, a socket or chance.
ALLOWED_MODULES: Final = frozenset(
    "__future__ base64 binascii bisect collections.abc dataclasses enum functools hashlib"
    " html.entities json msgspec re struct types typing unicodedata handrail.errors".split()
)
ALLOWED_PACKAGE: Final = "handrail.core"

# `hash` and `id` differ from one process to the next, so they count as randomness.
FORBIDDEN_CALLS: Final = frozenset(
    "open print input eval exec compile __import__ breakpoint globals hash id float complex"
    " round".split()
)
FORBIDDEN_ATTRIBUTES: Final = frozenset(
    "file_digest now today utcnow time time_ns monotonic perf_counter urandom random uuid4"
    " getrandbits fromtimestamp".split()
)


def impurities(path: PurePosixPath, text: str) -> list[str]:
    """What this source does that a pure module must not; empty when it is pure."""
    found = []
    for node in ast.walk(ast.parse(text, filename=str(path))):
        for said in (*_imports(node), *_effects(node), *_floats(node)):
            found.append(f"{path}:{getattr(node, 'lineno', 0)}: {said}")
    return found


def _imports(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            modules = [alias.name for alias in names]
        case ast.ImportFrom(module=module, level=0):
            modules = [module or ""]
        case ast.ImportFrom():
            modules = []
            yield "a relative import; write the whole name"
        case _:
            return
    for module in modules:
        inside = module == ALLOWED_PACKAGE or module.startswith(f"{ALLOWED_PACKAGE}.")
        if not inside and module not in ALLOWED_MODULES:
            yield f"imports `{module}`, which is not on the core's allow-list"


def _effects(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
            yield f"calls `{name}`: values in, values out"
        case ast.Attribute(attr=attr) if attr in FORBIDDEN_ATTRIBUTES:
            yield f"uses `.{attr}`: clock, chance and files are the caller's"
        case ast.Global() | ast.Nonlocal():
            yield "keeps state between calls"
        case ast.AsyncFunctionDef() | ast.Await():
            yield "waits for something: the core never waits"
        case _:
            pass


def _floats(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Constant(value=float() | complex()):
            yield f"has the float literal `{ast.unparse(node)}`"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield "divides with `/`, which makes a float; use `//`"
        case _:
            pass
