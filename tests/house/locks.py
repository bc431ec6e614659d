"""What the hash locks hold, and what the sources import, as functions of a text."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import PurePosixPath
from typing import Final

from tests.house.repo import ROOT, repository_files

__all__ = ["bare", "lock_files", "pins", "undeclared", "unhashed", "wanted"]

PIN: Final = re.compile(r"([a-z0-9.\-\[\]]+)==([^\s;]+)")
HASHED_PIN: Final = re.compile(
    r"[a-z0-9.\-\[\]]+==[^\s;]+( ; [^\\\n]+?)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
)


def wanted(name: str) -> list[str]:
    """The requirements of one `.in` file, without its comments."""
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pins(lock: str) -> dict[str, str]:
    """Each locked distribution with its version."""
    return {found[1]: found[2] for line in lock.splitlines() if (found := PIN.match(line))}


def unhashed(lock: str) -> list[str]:
    """What a lock holds besides hashed pins and comments."""
    rest = re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE)
    return HASHED_PIN.sub("", rest).split()


def bare(requirement: str) -> str:
    """A requirement's name alone, as distributions are compared: lower case, with dashes."""
    name = re.split(r"[<>=!~;\[ ]", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _homes() -> Mapping[str, list[str]]:
    """The distributions that each module comes from. It takes a while to read them all."""
    return packages_distributions()


def undeclared(source: str, declared: set[str]) -> list[str]:
    """The modules that a source imports from distributions which nobody declared."""
    homes = _homes()
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case _:
                continue
        for module in modules:
            top = module.partition(".")[0]
            if top != "handrail" and top not in sys.stdlib_module_names:
                candidates = {bare(name) for name in homes.get(top, [top])}
                if not candidates & declared:
                    found.append(module)
    return found


def lock_files() -> list[PurePosixPath]:
    """Every lock of the repository, those of the benchmarks' own environments too."""
    return [
        path
        for path in repository_files()
        if path.suffix == ".txt" and "requirements" in (path.parts[0], path.stem)
    ]
