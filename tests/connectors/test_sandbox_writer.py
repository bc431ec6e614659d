"""Group commit of the embedded desk: batches, units that fail alone, a full disk, kill -9."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from handrail.connectors.protocol import Looked
from handrail.connectors.sandbox import Sandbox
from handrail.connectors.sandbox.writer import EffectWriter

CHILD = """
import sys
from handrail.connectors.sandbox import Sandbox
from tests.connectors.sandbox_road import NOW, prepare

desk = Sandbox.open(sys.argv[1])
given = {"order": "O-5005", "amount": "1.00 USD", "reason": "other"}
request = prepare(desk, "refund.issue", given).request
for turn in range(1_000_000):
    desk.execute("refund.issue", request, f"k{turn}", now=NOW)
    print(f"k{turn}", flush=True)
"""


@pytest.fixture
def db(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A connection to a file with one table of notes."""
    opened = apsw.Connection(str(tmp_path / "notes.sqlite3"))
    opened.execute("CREATE TABLE notes (text TEXT PRIMARY KEY) STRICT")
    yield opened
    opened.close()


def note(db: apsw.Connection, text: str) -> str:
    """Write one note."""
    db.execute("INSERT INTO notes VALUES (?)", (text,))
    return text


def notes(db: apsw.Connection) -> list[str]:
    """Every note, sorted."""
    return sorted(str(text) for (text,) in db.execute("SELECT text FROM notes"))


def together(writer: EffectWriter, texts: list[str], bad: str = "") -> dict[str, object]:
    """Hand in notes while another unit holds the writer, so that they wait together."""
    holding, go = threading.Event(), threading.Event()
    answers: dict[str, object] = {}

    def hold(db: apsw.Connection) -> None:
        holding.set()
        go.wait()

    def write(text: str) -> None:
        def unit(db: apsw.Connection) -> str:
            note(db, text)
            if text == bad:
                raise ValueError(text)
            return text

        try:
            answers[text] = writer.run(unit)
        except Exception as error:
            answers[text] = type(error)

    first = threading.Thread(target=writer.run, args=(hold,))
    first.start()
    holding.wait()
    others = [threading.Thread(target=write, args=(text,)) for text in texts]
    for other in others:
        other.start()
    go.set()
    for thread in (first, *others):
        thread.join()
    return answers


def test_unit_returns_its_value_and_lasts(db: apsw.Connection) -> None:
    """A unit's value comes back once its row is committed."""
    writer = EffectWriter(db)
    assert writer.run(lambda db: note(db, "one")) == "one"
    assert not db.in_transaction
    assert notes(db) == ["one"]


def test_unit_that_raises_rolls_back_alone(db: apsw.Connection) -> None:
    """Of units that wait together, the one that raises leaves nothing and the others stay."""
    texts = [f"note {number}" for number in range(12)]
    answers = together(EffectWriter(db), texts, bad="note 5")
    assert answers == {text: ValueError if text == "note 5" else text for text in texts}
    assert notes(db) == sorted(text for text in texts if text != "note 5")


def test_full_disk_loses_the_batch_and_not_the_writer(db: apsw.Connection) -> None:
    """When the file cannot grow nothing is written, the caller is told, and the next one works."""
    writer = EffectWriter(db)
    pages = db.execute("PRAGMA page_count").get
    db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises((OSError, apsw.FullError)):
        writer.run(lambda db: note(db, "long " * 10_000))
    assert not db.in_transaction
    assert notes(db) == []
    db.execute(f"PRAGMA max_page_count = {pages + 100}")
    assert writer.run(lambda db: note(db, "short")) == "short"
    assert notes(db) == ["short"]


def test_lost_batch_is_lost_for_all_who_were_in_it(db: apsw.Connection) -> None:
    """A transaction that is gone in the middle of a batch gives nobody a value."""
    writer = EffectWriter(db)

    def gone(db: apsw.Connection) -> None:
        note(db, "unseen")
        db.execute("ROLLBACK")
        raise ValueError("the transaction is gone")

    with pytest.raises(OSError, match="could not be written"):
        writer.run(gone)
    assert notes(db) == []
    assert writer.run(lambda db: note(db, "next")) == "next"


def test_interrupted_unit_leaves_the_writer_usable(db: apsw.Connection) -> None:
    """Ctrl-C inside a unit goes through to its caller and leaves nothing half-written."""
    writer = EffectWriter(db)

    def interrupted(db: apsw.Connection) -> None:
        note(db, "unseen")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writer.run(interrupted)
    assert not db.in_transaction
    assert writer.run(lambda db: note(db, "next")) == "next"
    assert notes(db) == ["next"]


def test_kill_9_keeps_what_was_answered(tmp_path: Path) -> None:
    """After kill -9 every refund that was answered is there, and money and keys agree."""
    path = tmp_path / "desk.sqlite3"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    answered = [child.stdout.readline().strip() for _ in range(20)]
    child.send_signal(signal.SIGKILL)
    answered += child.stdout.read().split()
    child.stdout.close()
    child.wait()
    with Sandbox.open(path) as desk:
        assert all(desk.lookup("refund.issue", key).looked is Looked.DONE for key in answered)
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        effects = int(db.execute("SELECT count(*) FROM effects").get)
        db.close()
        assert len(answered) <= effects <= len(answered) + 1
        assert desk.money_moved("USD") == desk.balance("P-5005").refunded_minor == effects * 100
