"""What PostgreSQL must be before handrail promises anything on it: refused, each with its code."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

import handrail
from handrail.errors import SetupFailed, Unavailable
from handrail.store.postgres import PostgresStore
from tests.store.databases import PostgresDatabase, new_keys
from tests.store.server import Server

PASSWORD: Final = "sesame-0xCAFE"


@pytest.fixture(scope="module")
def spoilt() -> Iterator[Server]:
    """A server of its own, whose settings may be spoilt."""
    server = Server.new()
    yield server
    server.stop()


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(SetupFailed) as refusal:
        call()
    assert not refusal.value.message.endswith(".")
    return refusal.value.code


def _open(address: str, folder: Path, *, read_only: bool = False) -> PostgresStore:
    return PostgresStore(
        address, keys=new_keys(), checkpoints=folder / "checkpoints", read_only=read_only
    )


SETTINGS: Final = {
    "fsync": ("off", "fsync_off"),
    "full_page_writes": ("off", "full_page_writes_off"),
    "synchronous_commit": ("off", "synchronous_commit_off"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_server_that_may_lose_commits(spoilt: Server, tmp_path: Path, name: str) -> None:
    """K1: nothing is promised on it, nothing is made in it; once it is mended, it is fine."""
    value, code = SETTINGS[name]
    address = spoilt.address(f"spoilt_{name}")
    spoilt.set(**{name: value})
    assert _code(lambda: _open(address, tmp_path)) == code
    assert not PostgresStore.holds_desk(address)
    spoilt.set(**{name: "on"})
    _open(address, tmp_path).close()


def test_a_standby_that_is_not_waited_for(spoilt: Server, tmp_path: Path) -> None:
    """K1: with a synchronous standby required, `local` is not enough; without one it is."""
    address = spoilt.address("local") + "%20-csynchronous_commit%3Dlocal"
    _open(address, tmp_path).close()
    spoilt.set(synchronous_standby_names="far")
    assert _code(lambda: _open(address, tmp_path)) == "synchronous_commit_off"
    spoilt.set(synchronous_standby_names="")


def test_a_replica(tmp_path: Path) -> None:
    """G5: caps and claims are only ever made on the primary; the log may be read there."""
    server = Server.new()
    address = server.address("main")
    _open(address, tmp_path).close()
    server.become_replica()
    assert _code(lambda: _open(address, tmp_path)) == "store_is_replica"
    reading = _open(address, tmp_path, read_only=True)
    assert reading.read(lambda tx: tx.desks.all()) == []
    reading.close()
    server.stop()


@pytest.fixture
def database(tmp_path: Path) -> PostgresDatabase:
    """A schema in which handrail has been."""
    place = PostgresDatabase(tmp_path)
    place.open().close()
    return place


def test_a_newer_database(database: PostgresDatabase) -> None:
    """An older handrail leaves it alone."""
    database.change("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    assert _code(database.open) == "store_newer"


PARTIAL: Final = {
    "a trigger that is gone": "ALTER TABLE review DISABLE TRIGGER review_fixed",
    "a column that is gone": "ALTER TABLE escalation DROP COLUMN owner",
    "a table that is gone": "DROP TABLE tile",
    "a version that is gone": "DELETE FROM meta WHERE name = 'schema_version'",
    "no version table": "DROP TABLE meta",
}


@pytest.mark.parametrize("what", PARTIAL)
def test_a_migration_left_half_done(database: PostgresDatabase, what: str) -> None:
    """K5: a schema that is not what the migrations make is not used."""
    database.change(PARTIAL[what])
    assert _code(database.open) == "store_damaged"


def test_an_index_of_one_s_own_is_no_matter(database: PostgresDatabase) -> None:
    """Somebody who reports from the database may add one."""
    database.change("CREATE INDEX mine ON proposal (desk, kind)")
    database.open().close()


def test_several_at_once_make_one_schema(tmp_path: Path) -> None:
    """K5: gateways that start together on an empty database wait for each other."""
    place = PostgresDatabase(tmp_path)
    opened: list[PostgresStore] = []
    threads = [threading.Thread(target=lambda: opened.append(place.open())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({store.fence for store in opened}) == 4
    for store in opened:
        store.close()


def test_a_log_smaller_than_its_last_checkpoint(tmp_path: Path) -> None:
    """K4, J2: a database from an old backup does not start; the kept checkpoint tells."""
    place = PostgresDatabase(tmp_path)
    desk = handrail.open(tmp_path / "desk", store=place.address)
    desk.person("ann")
    desk.close()
    kept = place.rows("SELECT encode(frontier, 'hex'), size FROM tree")[0]
    desk = handrail.open(tmp_path / "desk", store=place.address)
    desk.person("bea")
    desk.close()
    place.change(
        "DROP TRIGGER entry_stays",
        f"DELETE FROM entry WHERE idx >= {kept[1]}",
        f"DELETE FROM checkpoint WHERE size > {kept[1]}",
        f"UPDATE tree SET size = {kept[1]}, frontier = decode('{kept[0]}', 'hex')",
    )
    assert _code(lambda: handrail.open(tmp_path / "desk", store=place.address)) == "log_shrunk"


def test_foreign_keys_of_a_second_directory(tmp_path: Path) -> None:
    """A gateway without the desk's own key files is refused; with a copy of them it is welcome."""
    place = PostgresDatabase(tmp_path)
    handrail.open(tmp_path / "one", store=place.address).close()
    other = tmp_path / "two"
    assert _code(lambda: handrail.open(other, store=place.address)) == "key_missing"
    handrail.open(tmp_path / "three").close()
    keys = tmp_path / "three" / "keys"
    assert _code(lambda: handrail.open(other, store=place.address, keys=keys)) == "key_mismatch"
    handrail.open(other, store=place.address, keys=tmp_path / "one" / "keys").close()


ADDRESSES: Final = {
    "no address": f"host=/nowhere password={PASSWORD}",
    "another kind": f"mysql://ann:{PASSWORD}@localhost/desk",
    "a broken one": f"postgresql://ann:{PASSWORD}@localhost:port/desk?what",
    "an unknown option": f"postgresql://ann:{PASSWORD}@localhost/desk?{PASSWORD}=1",
    "nobody there": f"postgresql://ann:{PASSWORD}@127.0.0.1:9/desk",
    "no such place": f"postgresql://ann:{PASSWORD}@/desk?host=/nowhere",
}


@pytest.mark.parametrize("what", ADDRESSES)
def test_no_message_has_the_password(tmp_path: Path, what: str) -> None:
    """Whatever is wrong with the address."""
    with pytest.raises(SetupFailed) as refusal:
        handrail.open(tmp_path / "desk", store=ADDRESSES[what])
    trail: BaseException | None = refusal.value
    assert refusal.value.code in ("setting_malformed", "store_failed")
    while trail is not None:
        assert not re.search(PASSWORD, f"{trail!s}{trail!r}", re.IGNORECASE)
        trail = trail.__cause__


def test_it_goes_on_by_itself_after_a_restart(spoilt: Server, tmp_path: Path) -> None:
    """The server is stopped and started: calls fail meanwhile, and work goes on afterwards."""
    store = _open(spoilt.address("restarted"), tmp_path)
    store.write(lambda tx: tx.counters.add("main", "a"))
    spoilt.restart()
    until = time.monotonic() + 20
    while True:
        try:
            store.write(lambda tx: tx.counters.add("main", "a"))
            break
        except Unavailable:
            assert time.monotonic() < until
            time.sleep(0.1)
    assert store.read(lambda tx: tx.counters.of("main")) == {"a": 2}
    store.close()
