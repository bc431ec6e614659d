"""The house rules about files, as functions of a path and a text. Each returns its complaints."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

__all__ = ["complaints_about_python", "complaints_about_text"]

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 50
LINE_CHARS_MAX: Final = 100
MARKERS: Final = frozenset({"INVARIANT", "COMMIT POINT", "WHY NOT"})
EMPTY_NAMES: Final = frozenset(
    "util utils helper helpers manager managers common service services misc".split()
)

# The words are written in two pieces, so that this file keeps its own rules.
REGISTRIES: Final = tuple(
    "".join(pieces)
    for pieces in (
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("yarn", "pkg.com"),
        ("deb.", "debian.org"),
        ("security.", "debian.org"),
        ("archive.", "ubuntu.com"),
        ("crates", ".io"),
        ("ruby", "gems.org"),
        ("ana", "conda.org"),
        ("jsdel", "ivr.net"),
        ("un", "pkg.com"),
        ("cdn", "js.cloudflare.com"),
    )
)
MACHINE_PATH: Final = re.compile(
    r"(?<![\w.*}>)~-])/(?:(?:work|root|tmp|opt)/|(?:root|tmp)(?![\w/-])|(?:home|Users)/\w)"
)
AUTHORSHIP: Final = re.compile(
    r"loop"
    r"rails|co-authored"
    r"-by|"
    r"(?:written|generated|authored|created) (?:by|with|using) (?:an? )?"
    r"(?:ai|llm|language model|assistant|claude|copilot|chatgpt|codex)\b|"
    r"(?:this|previous|earlier|next|another) "
    r"session of the project",
    re.IGNORECASE,
)
MARKER: Final = re.compile(r"#+[:!]?\s*([A-Z][A-Z' -]*[A-Z]):")
UNFINISHED: Final = re.compile(r"\b(TO" r"DO|FIX" r"ME|HA" r"CK)\b")


def complaints_about_text(path: PurePosixPath, text: str) -> list[str]:
    """What the rules for every text file say against this one; empty when it is tidy."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        lower = line.lower()
        for host in REGISTRIES:
            if host in lower:
                found.append(f"{path}:{number}: names the package registry `{host}`")
        for machine in MACHINE_PATH.finditer(line):
            found.append(f"{path}:{number}: `{machine.group()}` is a path of one machine")
        for words in AUTHORSHIP.finditer(line):
            found.append(f"{path}:{number}: `{words.group()}` says how the work was made")
    return found


def complaints_about_python(path: PurePosixPath, text: str) -> list[str]:
    """What the rules for Python files say against this one; empty when it is tidy."""
    tree = ast.parse(text, filename=str(path))
    found = [*_name(path), *_length(path, text), *_functions(path, tree), *_comments(path, text)]
    if path.parts[0] == "tests":
        found.extend(_doubts_about_test(path, tree))
    return found


def _name(path: PurePosixPath) -> Iterator[str]:
    for part in (*path.parts[:-1], path.stem):
        for word in part.split("_"):
            if word in EMPTY_NAMES:
                yield f"{path}: `{word}` is a name for anything; name the module after its noun"


def _length(path: PurePosixPath, text: str) -> Iterator[str]:
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield f"{path}: {len(lines)} lines, at most {FILE_LINES_MAX}: split it by noun"
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_CHARS_MAX:
            yield f"{path}:{number}: {len(line)} characters, at most {LINE_CHARS_MAX}"


def _functions(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield (
                    f"{path}:{node.lineno}: `{node.name}` has {lines} lines,"
                    f" at most {FUNCTION_LINES_MAX}"
                )


def _comments(path: PurePosixPath, text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        where = f"{path}:{token.start[0]}"
        marker = MARKER.match(token.string)
        if marker and marker.group(1) not in MARKERS:
            yield f"{where}: `{marker.group(1)}:` is not one of the three comment markers"
        unfinished = UNFINISHED.search(token.string)
        if unfinished:
            yield f"{where}: `{unfinished.group()}` belongs into an issue, not into the code"


def _doubts_about_test(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """A test that is skipped or talks to a mock cannot fail when it should."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="skip" | "skipif" | "importorskip" | "xfail" as attr):
                if "pytest" in ast.unparse(node):
                    yield f"{path}:{node.lineno}: `{attr}`: every test runs, everywhere"
            case ast.ImportFrom(module="unittest.mock" | "mock"):
                yield f"{path}:{node.lineno}: a mock; let the real part run"
            case ast.ImportFrom(module="unittest", names=names) | ast.Import(names=names):
                if any(alias.name in {"mock", "unittest.mock"} for alias in names):
                    yield f"{path}:{node.lineno}: a mock; let the real part run"
            case _:
                pass
