"""A fresh desk for every story; afterwards its log must verify."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.stories import Story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A desk with people and an agent, under the pack that comes with handrail."""
    with Story(tmp_path / "desk") as told:
        yield told
        told.check()
