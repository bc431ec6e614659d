"""One served desk per file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.stage import Stage, in_agent_policy, staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A served desk, its people and agents."""
    with staged(tmp_path_factory.mktemp("served"), policy=in_agent_policy()) as opened:
        yield opened
