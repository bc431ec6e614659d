"""A place to write that no other process of these tests looks at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import probe


@pytest.fixture(autouse=True)
def own_scratch(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that benchmarks write in: on the repository's disk, and this process's own."""
    own = probe.SCRATCH.with_name(f"{probe.SCRATCH.name}-{os.getpid()}")
    monkeypatch.setattr(probe, "SCRATCH", own)
    return own
