"""The core is pure: values in, values out."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

import pytest

from tests.house.purity import impurities
from tests.house.repo import python_files, read_text

CORE: Final = PurePosixPath("src/handrail/core")


def test_core_is_pure() -> None:
    """No I/O, clock, chance or float in any module of the core."""
    modules = [path for path in python_files("src") if path.is_relative_to(CORE)]
    assert modules
    found = [said for path in modules for said in impurities(path, read_text(path) or "")]
    assert not found, "\n" + "\n".join(found)


IMPURE: Final = [
    ("import os\n", "imports `os`"),
    ("import time\n", "imports `time`"),
    ("import random\n", "imports `random`"),
    ("import secrets\n", "imports `secrets`"),
    ("import uuid\n", "imports `uuid`"),
    ("import socket\n", "imports `socket`"),
    ("import threading\n", "imports `threading`"),
    ("import handrail\n", "imports `handrail`"),
    ("from datetime import datetime\n", "imports `datetime`"),
    ("from pathlib import Path\n", "imports `pathlib`"),
    ("from handrail.engine import propose\n", "imports `handrail.engine`"),
    ("from handrail.corexx import propose\n", "imports `handrail.corexx`"),
    ("from . import money\n", "a relative import"),
    ("def f():\n    import logging\n", "imports `logging`"),
    ("text = open('x')\n", "calls `open`"),
    ("print(1)\n", "calls `print`"),
    ("seed = hash('x')\n", "calls `hash`"),
    ("__import__('o' 's')\n", "calls `__import__`"),
    ("digest = hashlib.file_digest\n", "uses `.file_digest`"),
    ("at = clock.now()\n", "uses `.now`"),
    ("def f():\n    global count\n", "keeps state"),
    ("async def f(): ...\n", "waits"),
    ("rate = 0.5\n", "float literal `0.5`"),
    ("rate = -1e3\n", "float literal `1000.0`"),
    ("rate = float('1')\n", "calls `float`"),
    ("rate = 1 / 2\n", "divides"),
    ("rate /= 2\n", "divides"),
]


@pytest.mark.parametrize(("text", "said"), IMPURE)
def test_impure_sample_is_found(text: str, said: str) -> None:
    """Each way of being impure is found, once."""
    found = impurities(CORE / "sample.py", text)
    assert len(found) == 1
    assert said in found[0]


PURE: Final = """from __future__ import annotations
import hashlib
from collections.abc import Mapping
from handrail.core.money import Money
from handrail.errors import InvalidInput

def share(amount: int, parts: int) -> int:
    if isinstance(amount, float):
        raise InvalidInput("money_is_float", "no floats")
    return amount // parts
"""


def test_pure_sample_passes() -> None:
    """Refusing a float is not using one."""
    assert impurities(CORE / "sample.py", PURE) == []
