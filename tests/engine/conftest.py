"""A fresh desk for every story; afterwards its log must verify."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.engine.connectors import Front
from tests.engine.lives import Life
from tests.engine.stories import Story
from tests.store.databases import PostgresDatabase, long_leases

ON_POSTGRES_TOO: Final = (
    "test_amendment",
    "test_attention",
    "test_caps",
    "test_controls",
    "test_hold_and_permit",
    "test_idempotency",
    "test_policy_change",
    "test_taking_back",
    "test_undo",
    "test_unknown",
)
"""Stories in which units meet the database in every way that there is."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tell some stories on both databases."""
    if "story" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        stores = ["sqlite", "postgres"] if module in ON_POSTGRES_TOO else ["sqlite"]
        metafunc.parametrize("story", stores, indirect=True)


@pytest.fixture(autouse=True)
def _long_leases() -> Iterator[None]:
    """No gateway is given up because the machine was busy."""
    with long_leases():
        yield


@pytest.fixture
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """A desk with people and an agent, under the pack that comes with handrail."""
    store = PostgresDatabase(tmp_path).address if request.param == "postgres" else None
    with Story(tmp_path / "desk", store=store) as told:
        yield told
        told.check()


@pytest.fixture
def life(story: Story) -> Life:
    """A desk with two people who may change its policy."""
    return Life(story)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """A front to the embedded desk of `fronted`."""
    made = Front(tmp_path / "desk.db")
    yield made
    made.close()


@pytest.fixture
def fronted(tmp_path: Path, front: Front) -> Iterator[Story]:
    """A desk whose world stands behind `front`."""
    with Story(tmp_path / "desk", connectors={"desk": front}) as told:
        yield told
        told.check()
