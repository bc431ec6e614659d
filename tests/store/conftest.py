"""Every test of the contract runs on every database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from handrail.store import writer
from handrail.store.protocol import Store
from tests.store.databases import DATABASES, Clock, Database, PostgresDatabase
from tests.store.gateways import BEAT_S, Pair

BATCH_S: Final = 600.0


@pytest.fixture(autouse=True)
def _patient_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits together is one batch, however long the machine stands still in between."""
    monkeypatch.setattr(writer, "BATCH_S_MAX", BATCH_S)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A place for a store, once for every kind of database."""
    return DATABASES[request.param](tmp_path)


@pytest.fixture
def clock() -> Clock:
    """The clock of `store`."""
    return Clock()


@pytest.fixture
def store(database: Database, clock: Clock) -> Iterator[Store]:
    """A store on a fresh database."""
    opened = database.open(clock=clock)
    yield opened
    opened.close()


@pytest.fixture(params=DATABASES, scope="module")
def contract(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """One store for a whole module, for long tables of small cases."""
    opened = DATABASES[request.param](tmp_path_factory.mktemp("contract")).open()
    yield opened
    opened.close()


@pytest.fixture
def postgres(tmp_path: Path) -> PostgresDatabase:
    """A schema that several gateways open."""
    return PostgresDatabase(tmp_path)


@pytest.fixture
def pair(postgres: PostgresDatabase) -> Iterator[Pair]:
    """Two gateways, each with a memory of its own."""
    both = postgres.open(beat_s=BEAT_S), postgres.open(beat_s=BEAT_S)
    yield both
    for store in both:
        store.close()
