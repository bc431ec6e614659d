"""One real backend process for all tests of this room; every test opens its own session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.tau.client import Backend, start_backend


@pytest.fixture(scope="session")
def backend() -> Iterator[Backend]:
    """The shops, in their own process with their own virtual environment."""
    with start_backend() as started:
        yield started
