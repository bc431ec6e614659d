"""The embedded desk's file: made, seeded, opened again, shared, damaged, searched."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.connectors.protocol import Looked
from handrail.connectors.sandbox import Fault, Sandbox, schema
from handrail.connectors.sandbox.reading import ARTICLES_MAX
from handrail.connectors.sandbox.schema import VERSION
from handrail.core.text import hidden_marks
from handrail.errors import InvalidInput, SetupFailed, Unavailable
from tests.connectors.sandbox_road import EVERY_KIND, NOW, act, prepare


def test_second_open_keeps_everything(tmp_path: Path) -> None:
    """What was done is there when the file is opened again, and is not seeded over."""
    path = tmp_path / "desk.sqlite3"
    with Sandbox.open(path) as desk:
        receipt = act(desk, "refund.issue", EVERY_KIND["refund.issue"], "k")
        act(desk, "reply.send", EVERY_KIND["reply.send"], "m")
        mails = desk.mailbox()
    with Sandbox.open(path, now=NOW + 1) as desk:
        assert desk.money_moved("USD") == 1850
        assert desk.mailbox() == mails
        assert desk.lookup("refund.issue", "k").receipt == receipt
        assert act(desk, "refund.issue", EVERY_KIND["refund.issue"], "k") == receipt


def test_two_opens_at_once_see_each_other(tmp_path: Path) -> None:
    """A second opening of a file in use reads and writes the same desk."""
    path = tmp_path / "desk.sqlite3"
    with Sandbox.open(path) as one, Sandbox.open(path) as two:
        act(one, "refund.issue", EVERY_KIND["refund.issue"], "k")
        assert two.lookup("refund.issue", "k").looked is Looked.DONE
        given = {"order": "O-5002", "amount": "32.00 USD", "reason": "not_received"}
        act(two, "refund.issue", given, "k2")
        assert one.money_moved("USD") == two.money_moved("USD") == 5050


def test_desk_without_samples_is_empty(tmp_path: Path) -> None:
    """Without seed the desk has its tables and nothing in them, and stays so."""
    path = tmp_path / "desk.sqlite3"
    with Sandbox.open(path, seed=False) as desk:
        assert desk.tickets() == []
    with Sandbox.open(path) as desk:
        assert desk.tickets() == []


def test_samples_make_a_varied_desk(desk: Sandbox) -> None:
    """The samples are dated before now, ask for different things, and all are invented."""
    tickets = desk.tickets()
    assert len(tickets) == 15
    assert all(ticket.opened_at < NOW and ticket.status == "open" for ticket in tickets)
    assert all(ticket.customer == desk.ticket_customer(ticket.id) for ticket in tickets)
    assert all(ticket.requester.endswith((".test", "@example.com")) for ticket in tickets)
    bodies = {ticket.id: desk.conversation(ticket.id)[0].body for ticket in tickets}
    assert [ticket for ticket, body in bodies.items() if hidden_marks(body)] == ["T-110"]
    for ticket, amount in (("T-101", "18.50 USD"), ("T-102", "32.00"), ("T-103", "120.00 USD")):
        assert amount in bodies[ticket]
    assert "2,400.00 USD" in bodies["T-104"]


def test_earlier_refunds_match_their_balances(desk: Sandbox, tmp_path: Path) -> None:
    """What the samples say was refunded is what their payments say was refunded."""
    db = apsw.Connection(str(tmp_path / "desk.sqlite3"), flags=apsw.SQLITE_OPEN_READONLY)
    wrong = db.execute(
        "SELECT id FROM payments WHERE refunded_minor <> (SELECT coalesce(sum(minor), 0)"
        " FROM refunds WHERE payment = payments.id AND reversed_at IS NULL)"
    ).fetchall()
    db.close()
    assert wrong == []
    assert desk.balance("P-5014").refundable_minor == 0
    assert desk.money_moved("USD") == 0


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("return an unused item", "KB-01"),
        ("mug arrived broken damaged", "KB-02"),
        ("where is my parcel", "KB-03"),
        ("change login address", "KB-08"),
        ("closing account", "KB-10"),
    ],
)
def test_search_finds_the_article(desk: Sandbox, query: str, first: str) -> None:
    """The best article for a question comes first."""
    assert found(desk, query)[0] == first


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "*",
        "NEAR(",
        "NEAR(parcel card, 2)",
        "AND OR NOT",
        "title: parcel",
        'x" OR articles MATCH "y',
        "parcel -card ^refund +x {a b}",
        "'; DROP TABLE articles; --",
        "_",
        "\u0000",
        "佐藤 \u202e \u200b",
        "word " * 90,
    ],
)
def test_search_reads_words_and_no_syntax(desk: Sandbox, query: str) -> None:
    """Whatever stands in a query is looked for as words; the knowledge base stays as it is."""
    assert len(found(desk, query)) <= ARTICLES_MAX
    assert found(desk, "parcel")


@given(query=st.text(min_size=1, max_size=200).filter(lambda text: bool(text.strip())))
def test_search_takes_any_text(query: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No text of any kind makes the search fail."""
    path = tmp_path_factory.getbasetemp() / "searched.sqlite3"
    with Sandbox.open(path, durable=False) as desk:
        assert len(found(desk, query)) <= ARTICLES_MAX


def test_no_verb_but_execute_writes(desk: Sandbox, tmp_path: Path) -> None:
    """Preparing, previewing, looking up, undoing and reading leave the file as it was."""
    receipt = act(desk, "refund.issue", EVERY_KIND["refund.issue"], "k")
    before = dump(tmp_path / "desk.sqlite3")
    for kind, parameters in EVERY_KIND.items():
        request = prepare(desk, kind, parameters).request
        desk.preview(kind, request)
        desk.lookup(kind, "k")
    desk.undo("refund.issue", {}, receipt)
    act(desk, "ticket.read", EVERY_KIND["ticket.read"], "r")
    act(desk, "kb.search", EVERY_KIND["kb.search"], "s")
    assert dump(tmp_path / "desk.sqlite3") == before


def test_readers_and_writers_mix(desk: Sandbox) -> None:
    """Threads that read while others write see whole effects: never money without its refund."""
    stop = threading.Event()
    broken: list[tuple[object, object]] = []

    def watch() -> None:
        while not stop.is_set():
            prepared = prepare(desk, "refund.issue", EVERY_KIND["refund.issue"])
            seen = {fact.name: fact.value for fact in prepared.facts}
            if seen["already_refunded"] != seen["refunds_30d_sum"]:
                broken.append((seen["already_refunded"], seen["refunds_30d_sum"]))

    readers = [threading.Thread(target=watch) for _ in range(3)]
    for reader in readers:
        reader.start()
    given = {"order": "O-5001", "amount": "0.50 USD", "reason": "other"}
    request = prepare(desk, "refund.issue", given).request
    for turn in range(40):
        desk.execute("refund.issue", request, f"k{turn}", now=NOW)
    stop.set()
    for reader in readers:
        reader.join()
    assert broken == []
    assert desk.money_moved("USD") == 2000


def test_closed_desk_says_so(tmp_path: Path) -> None:
    """After closing, nothing is read, done or looked up, and each says that it was not."""
    desk = Sandbox.open(tmp_path / "desk.sqlite3")
    request = prepare(desk, "refund.issue", EVERY_KIND["refund.issue"]).request
    desk.close()
    with pytest.raises(Unavailable) as refusal:
        desk.tickets()
    assert refusal.value.code == "connector_unavailable"
    with pytest.raises(OSError, match="could not be written"):
        desk.execute("refund.issue", request, "k", now=NOW)
    assert desk.lookup("refund.issue", "k").looked is Looked.CANNOT_TELL


def test_busy_file_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the file an execution gets no answer, and does nothing."""
    monkeypatch.setattr(schema, "BUSY_MS", 20)
    with Sandbox.open(tmp_path / "desk.sqlite3") as desk:
        request = prepare(desk, "refund.issue", EVERY_KIND["refund.issue"]).request
        other = apsw.Connection(str(tmp_path / "desk.sqlite3"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="could not be written"):
            desk.execute("refund.issue", request, "k", now=NOW)
        other.execute("ROLLBACK")
        other.close()
        assert desk.lookup("refund.issue", "k").looked is Looked.NOT_DONE
        assert desk.money_moved("USD") == 0


def test_files_that_are_no_desk(tmp_path: Path) -> None:
    """Each file that cannot be a desk is refused with its code, and left as it was."""
    (tmp_path / "text").write_text("a shopping list, long enough to be no database header at all")
    foreign = apsw.Connection(str(tmp_path / "foreign"))
    foreign.execute("CREATE TABLE somebody_elses (x)")
    foreign.close()
    Sandbox.open(tmp_path / "newer").close()
    newer = apsw.Connection(str(tmp_path / "newer"))
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    (tmp_path / "folder").mkdir()
    for name, code in (
        ("text", "store_damaged"),
        ("foreign", "store_damaged"),
        ("newer", "store_newer"),
        ("folder", "directory_unwritable"),
        ("missing/desk", "directory_unwritable"),
    ):
        before = (tmp_path / name).read_bytes() if (tmp_path / name).is_file() else b""
        with pytest.raises(SetupFailed) as refusal:
            Sandbox.open(tmp_path / name)
        assert refusal.value.code == code
        after = (tmp_path / name).read_bytes() if (tmp_path / name).is_file() else b""
        assert after == before


@pytest.mark.parametrize(
    ("version", "undone"),
    [
        (1, "DROP TABLE macros; DROP TABLE mail_files; ALTER TABLE mailbox DROP COLUMN html"),
        (2, "DROP TABLE macros; ALTER TABLE mailbox DROP COLUMN html"),
        (3, "DROP TABLE macros"),
    ],
)
def test_a_desk_of_an_earlier_version_goes_on(tmp_path: Path, version: int, undone: str) -> None:
    """A file from before attachments, HTML or macros gets what it lacks and keeps the rest."""
    with Sandbox.open(tmp_path / "desk") as desk:
        tickets = desk.tickets()
    older = apsw.Connection(str(tmp_path / "desk"))
    older.execute(undone)
    older.execute(f"PRAGMA user_version = {version}")
    older.close()
    for _ in range(2):
        with Sandbox.open(tmp_path / "desk") as desk:
            assert desk.tickets() == tickets
            assert desk.mailbox() == []


def test_questions_about_nothing(desk: Sandbox) -> None:
    """Tickets and payments that do not exist are named; credit that nobody has is nothing."""
    for question in (desk.conversation, desk.ticket_customer, desk.balance):
        with pytest.raises(InvalidInput, match="`X-1`") as refusal:
            question("X-1")
        assert refusal.value.code == "subject_unknown"
    assert desk.store_credit("X-1", "USD") == 0
    assert desk.money_moved("CHF") == 0


def test_faults_are_off_at_first(desk: Sandbox) -> None:
    """A new desk has no fault switched on, and there are exactly two."""
    assert desk.fault is None
    assert {fault.name for fault in Fault} == {"BEFORE_EFFECT", "AFTER_EFFECT"}


def found(desk: Sandbox, query: str) -> list[str]:
    """The ids of the articles that a search gives."""
    articles = act(desk, "kb.search", {"query": query}, "k").result["articles"]
    assert isinstance(articles, list)
    return [article["article"] for article in articles]


def dump(path: Path) -> list[tuple[object, ...]]:
    """Every row of every table of a file."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    rows = [(table, *row) for (table,) in tables for row in db.execute(f"SELECT * FROM {table}")]
    db.close()
    return rows
