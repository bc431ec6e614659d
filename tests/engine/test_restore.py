"""A backup is put back: nothing is sent before what ran since is known."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

import handrail
from handrail.bootstrap import inspect
from handrail.connectors.protocol import Found, Looked
from handrail.connectors.sandbox import Fault, Sandbox
from handrail.core import merkle
from handrail.core.escalation import Cause
from handrail.core.lifecycle import State
from handrail.core.restoration import Restoration
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.errors import HandrailError, SetupFailed
from handrail.prove.verify import verify_log
from handrail.surfaces.embedded import Action
from tests.engine.stories import DAY, HOUR, MIDDLE, MINUTE, SMALL, Story, code_of
from tests.store.databases import PostgresDatabase


class Kept:
    """A desk with an administrator, and a backup of its database: a copy of the real file.

    On PostgreSQL it is what `pg_dump` gives.
    """

    def __init__(self, folder: Path, postgres: PostgresDatabase | None = None) -> None:
        self.folder = folder
        self.postgres = postgres
        self.dump = b""
        self.story = Story(folder, store=None if postgres is None else postgres.address)
        self.story.desk.person("ada", roles=("admin",))
        self.story.desk.person("eve", roles=("admin",), identity="boss")

    def backup(self) -> None:
        """Copy the database while the desk is closed, and go on."""
        self.story.close()
        if self.postgres is None:
            shutil.copy(self.folder / "handrail.db", self.folder / "backup")
        else:
            self.dump = self.postgres.backup()
        self.story.desk = self.story._opened()

    def put_back(self) -> None:
        """The database is lost; the backup takes its place. The world remembers everything."""
        self.story.close()
        if self.postgres is not None:
            self.postgres.put_back(self.dump)
            return
        for tail in ("-wal", "-shm"):
            (self.folder / f"handrail.db{tail}").unlink(missing_ok=True)
        shutil.copy(self.folder / "backup", self.folder / "handrail.db")

    def restore(self, by: str = "boss", confirmed_by: str = "ada", **more: Any) -> Restoration:
        """Restore it; the clock goes on while it waits."""
        return handrail.restore(
            self.folder,
            by=by,
            confirmed_by=confirmed_by,
            clock=self.story.clock,
            store=self.story.store,
            pause=lambda seconds: self.story.later(round(seconds * 1000)),
            **more,
        )

    def refunded(self) -> int:
        """What the world says, while the desk is closed."""
        with closing(Sandbox.open(self.folder / "desk.db", now=self.story.clock())) as world:
            return world.balance("P-5003").refunded_minor

    def go_on(self) -> None:
        """Open the desk, and let another person lift the halt."""
        self.story.close()
        self.story.desk = self.story._opened()
        self.story.desk.work()
        (halt,) = self.story.desk.halts()
        self.story.desk.lift(halt.id, by="ada")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """One desk that will lose its database."""
    found = Kept(tmp_path / "desk")
    yield found
    found.story.close()


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """The same, once on each database."""
    postgres = PostgresDatabase(tmp_path) if request.param == "postgres" else None
    found = Kept(tmp_path / "desk", postgres)
    yield found
    found.story.close()


def _approved(story: Story, order: str = "O-5003") -> Action:
    """Approved, and not run yet."""
    action = story.refund(MIDDLE, order)
    opinion = Opinion(person="ann", verdict=Verdict.APPROVE, statement=action.digest)
    story.desk.ctx.store.write(review_unit(story.desk.ctx, "main", action.id, opinion))
    return action


def test_what_ran_after_the_backup_does_not_run_again(either: Kept) -> None:
    """K4: allowed in the backup and run since: found by its key, never sent a second time."""
    story = either.story
    action = _approved(story)
    either.backup()
    story.desk.work()
    assert story.state(action) is State.SUCCEEDED
    assert story.refunded() == 12_000
    either.put_back()
    with pytest.raises(SetupFailed, match="entries were removed") as refused:
        story._opened()
    assert refused.value.code == "log_shrunk"
    either.restore()
    assert either.refunded() == 12_000
    either.go_on()
    for _ in range(5):
        story.desk.work()
        story.later(HOUR)
    assert story.state(action) is State.SUCCEEDED
    assert story.refunded() == 12_000
    assert story.tags(action)[-2:] == ["action.doubted", "execution.found"]
    story.check()


def test_no_fence_of_the_lost_days_comes_back(tmp_path: Path) -> None:
    """K2, K4: who still lives from before a backup was put back is none of the new gateways."""
    database = PostgresDatabase(tmp_path)
    with closing(database.open()):
        dump = database.backup()
    with closing(database.open()) as lost:
        before = lost.fence
    database.put_back(dump)
    with closing(database.open()) as back:
        assert back.fence > before
        assert back.is_gone(before)


@pytest.mark.parametrize("state", ["PENDING", "READY"])
def test_what_had_not_run_runs_once(either: Kept, state: str) -> None:
    """K4: not done since, and certainly so: it goes on as it stood, when people let work go on."""
    story = either.story
    action = story.refund(MIDDLE) if state == "PENDING" else _approved(story)
    either.backup()
    story.refund(SMALL, "O-5001")  # the log grows: something is lost
    either.put_back()
    either.restore()
    assert either.refunded() == 0
    story.desk = story._opened()
    story.desk.work()
    assert story.refunded() == 0
    assert story.state(action).value == state
    either.go_on()
    if state == "PENDING":
        assert story.approve(action).state is State.SUCCEEDED
    for _ in range(3):
        story.desk.work()
    assert story.state(action) is State.SUCCEEDED
    assert story.refunded() == 12_000
    assert "action.reconciled" in story.tags(action)
    story.check()


def test_what_was_decided_and_ran_since_is_found(either: Kept) -> None:
    """K4: it still waited for a person in the backup; the approval is lost, the effect is not."""
    story = either.story
    action = story.refund(MIDDLE)
    either.backup()
    assert story.approve(action).state is State.SUCCEEDED
    either.put_back()
    either.restore()
    either.go_on()
    assert story.state(action) is State.SUCCEEDED
    assert story.refused(action, by="bea") == "not_pending"
    assert story.refunded() == 12_000
    story.check()


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_attempt_of_the_backup(either: Kept, done: bool) -> None:
    """K4: under way when the backup was made: looked up, and taken for what it became."""
    story = either.story
    story.fail(Fault.AFTER_EFFECT if done else Fault.BEFORE_EFFECT)
    action = story.refund(SMALL)
    story.fail(None)
    either.backup()
    story.later(MINUTE)
    story.desk.work()
    either.put_back()
    either.restore()
    either.go_on()
    for _ in range(3):
        story.desk.work()
        story.later(MINUTE)
    assert story.state(action) is State.SUCCEEDED
    assert story.refunded() == 1_850
    story.check()


def test_what_ran_since_counts_under_the_caps(either: Kept) -> None:
    """K4: what is found done takes its room under every cap and in the customer's sum."""
    story = either.story
    action = _approved(story)
    either.backup()
    story.desk.work()
    either.put_back()
    either.restore()
    either.go_on()
    rows = story.desk.ctx.store.read(
        lambda tx: tx.caps._rows.all(
            "SELECT cap, amount, state FROM reservation WHERE proposal = ? ORDER BY cap",
            (action.id,),
        )
    )
    assert ("@value", 12_000, "posted") in rows
    assert {state for _, _, state in rows} == {"posted"}
    assert len(rows) > 2


class CannotTell(Sandbox):
    """An embedded desk that has forgotten its keys."""

    def lookup(self, kind: str, key: str) -> Found:
        """It does not know."""
        return Found(looked=Looked.CANNOT_TELL)


def test_what_nobody_can_tell_waits_for_two_people(either: Kept) -> None:
    """K4: the connector cannot tell: it stays unknown until two people say the same."""
    story = either.story
    action = _approved(story)
    either.backup()
    story.desk.work()
    either.put_back()
    world = CannotTell.open(either.folder / "desk.db", now=story.clock())
    either.restore(connectors={"desk": world})
    world.close()
    either.go_on()
    assert story.state(action) is State.UNKNOWN
    assert action.id in story.open_escalations()
    story.later(HOUR)
    story.desk.settle(action.id, by="ann", done=True, evidence="it is in the books")
    assert story.state(action) is State.UNKNOWN
    story.desk.settle(action.id, by="bea", done=True, evidence="there it is")
    assert story.state(action) is State.SUCCEEDED
    assert story.refunded() == 12_000


def test_it_takes_two_people(either: Kept) -> None:
    """K4: without another person, an administrator, it stays refused, and nothing is written."""
    either.backup()
    either.story.refund(SMALL)
    either.put_back()
    for by, confirmed_by, code in (
        ("boss", "boss", "role_missing"),
        ("boss", "eve", "own_authority"),
        ("ada", "ada", "own_authority"),
        ("boss", "ann", "role_missing"),
        ("nobody", "ada", "not_entitled"),
        ("bot", "ada", "not_entitled"),
    ):
        assert code_of(lambda: either.restore(by, confirmed_by)) == code  # noqa: B023
    assert code_of(either.story._opened) == "log_shrunk"


def test_a_desk_that_lost_nothing_is_not_restored(kept: Kept) -> None:
    """A log that has all that was kept of it needs nobody's word."""
    kept.story.close()
    assert code_of(kept.restore) == "nothing_lost"


def test_a_changed_history_is_no_backup(kept: Kept) -> None:
    """K4: an entry that a checkpoint covers was changed: no two people make that a backup."""
    kept.backup()
    kept.story.refund(SMALL)
    kept.put_back()
    db = apsw.Connection(str(kept.folder / "handrail.db"))
    for (name,) in list(db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")):
        db.execute(f"DROP TRIGGER {name}")
    db.execute("UPDATE entry SET leaf = CAST(replace(leaf, 'bot', 'bat') AS BLOB) WHERE idx < 9")
    leaves = [leaf for (leaf,) in db.execute("SELECT leaf FROM entry ORDER BY idx")]
    edge = merkle.extend(merkle.EMPTY_FRONTIER, merkle.leaf_hashes(leaves)).to_bytes()
    db.execute("UPDATE tree SET frontier = ?", (edge,))
    db.close()
    assert code_of(kept.restore) == "log_damaged"


def test_the_log_names_its_departure_for_ever(kept: Kept) -> None:
    """K4: the log verifies, and says what is lost and on whose word; the old notes remain."""
    kept.backup()
    kept.story.refund(SMALL)
    kept.put_back()
    notes = (kept.folder / "checkpoints" / "main.notes").read_text()
    done = kept.restore()
    kept.go_on()
    kept.story.later(DAY)
    kept.story.refund(SMALL)
    kept.story.reopen()
    report = kept.story.desk.verify()
    assert report.findings == ()
    (said,) = report.restorations
    assert (said.restored_by, said.confirmed_by, said.size) == ("boss", "ada", done.size)
    assert max(size for size, _ in said.checkpoints()) > done.size
    assert (kept.folder / "checkpoints" / "main.notes").read_text().startswith(notes)
    told = kept.story.desk.ctx.store.read(lambda tx: tx.escalations.open("main", most=9))
    assert [one.cause for one in told] == [Cause.RESTORED]


FORGERIES = {
    "other names": "UPDATE restoration SET confirmed_by = 'cora'",
    "more checkpoints": "UPDATE restoration SET departed = departed || ' 999:00'",
    "no signature": "UPDATE restoration SET note = 'x'",
    "elsewhere": "UPDATE restoration SET size = size - 1",
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_departure_excuses_nothing(kept: Kept, what: str) -> None:
    """K4: what the log does not tell of, or the key did not sign, is a finding, and no excuse."""
    kept.backup()
    kept.story.refund(SMALL)
    kept.put_back()
    kept.restore()
    db = apsw.Connection(str(kept.folder / "handrail.db"))
    for (name,) in list(db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")):
        db.execute(f"DROP TRIGGER {name}")
    db.execute(FORGERIES[what])
    db.close()
    with pytest.raises(HandrailError) as refused:
        kept.story._opened()
    assert refused.value.code in ("log_damaged", "note_malformed")
    with inspect(kept.folder) as seen:
        report = verify_log(
            seen.store,
            "main",
            key=seen.signer.verifier,
            verify=seen.signer.verify,
            outside=seen.kept_checkpoints(),
        )
    assert report.restorations == ()
    said = " / ".join(finding.what for finding in report.findings)
    assert "a restored backup that the log does not tell of" in said
    assert "signed checkpoint" in said or "no longer give the root" in said


def test_an_interrupted_restoration_is_taken_up(either: Kept) -> None:
    """K4: a connector that does not answer: the desk does not open until it did."""
    story = either.story
    action = _approved(story)
    either.backup()
    story.desk.work()
    either.put_back()

    class Silent(Sandbox):
        def lookup(self, kind: str, key: str) -> Found:
            raise TimeoutError

    world = Silent.open(either.folder / "desk.db", now=story.clock())
    assert code_of(lambda: either.restore(connectors={"desk": world})) == "connector_unavailable"
    world.close()
    assert code_of(story._opened) == "log_restoring"
    either.restore()
    either.go_on()
    assert story.state(action) is State.SUCCEEDED
    assert story.refunded() == 12_000
    story.check()
