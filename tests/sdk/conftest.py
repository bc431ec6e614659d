"""One served desk for each test that talks to a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.sdk import Handrail, TaskClient
from tests.sdk.gateway import RunningDesk, running


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RunningDesk]:
    """A fresh desk behind a real socket."""
    with running(tmp_path / "desk") as desk:
        yield desk


@pytest.fixture
def client(served: RunningDesk) -> Iterator[Handrail]:
    """A synchronous client with the agent's key."""
    with Handrail(served.url, api_key=served.api_key) as opened:
        yield opened


@pytest.fixture
def task(client: Handrail) -> TaskClient:
    """A task on the ticket of a customer with an order."""
    return client.task(ticket="T-101")
