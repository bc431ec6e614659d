"""A fresh embedded desk for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.connectors.sandbox import Sandbox


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Sandbox]:
    """An embedded desk with its samples, in a file of its own."""
    with Sandbox.open(tmp_path / "desk.sqlite3") as opened:
        yield opened
