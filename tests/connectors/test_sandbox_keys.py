"""Once per key: the same key answers again, faults lose no effect and invent none."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest

from handrail.connectors.protocol import Looked, NotDone
from handrail.connectors.sandbox import Fault, Sandbox
from tests.connectors.sandbox_road import EVERY_KIND, NOW, act, prepare, take_back

WRITES = [kind for kind in EVERY_KIND if kind not in ("ticket.read", "kb.search")]


def state(desk: Sandbox, path: Path) -> list[tuple[object, ...]]:
    """Every row of the desk's file, but for its own notes of what was done."""
    db = apsw.Connection(str(path / "desk.sqlite3"), flags=apsw.SQLITE_OPEN_READONLY)
    tables = db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'articles%'"
        " AND name NOT IN ('effects', 'sqlite_sequence') ORDER BY name"
    ).fetchall()
    rows = [(table, *row) for (table,) in tables for row in db.execute(f"SELECT * FROM {table}")]
    db.close()
    return rows


@pytest.mark.parametrize("kind", WRITES)
def test_same_key_same_request_is_one_effect(desk: Sandbox, tmp_path: Path, kind: str) -> None:
    """The second execution returns the first one's receipt and changes nothing."""
    request = prepare(desk, kind, EVERY_KIND[kind]).request
    first = desk.execute(kind, request, "k", now=NOW)
    after = state(desk, tmp_path)
    assert desk.execute(kind, request, "k", now=NOW + 99) == first
    assert state(desk, tmp_path) == after


def test_same_key_other_request_is_not_done(desk: Sandbox, tmp_path: Path) -> None:
    """A key that was used does nothing for another amount, or for another kind."""
    act(desk, "refund.issue", EVERY_KIND["refund.issue"], "k")
    after = state(desk, tmp_path)
    other = {**EVERY_KIND["refund.issue"], "amount": "18.51 USD"}
    for kind, given in (("refund.issue", other), ("reply.send", EVERY_KIND["reply.send"])):
        with pytest.raises(NotDone, match="the key was used for another request"):
            act(desk, kind, given, "k")
    assert state(desk, tmp_path) == after


def test_key_of_something_refused_is_free(desk: Sandbox) -> None:
    """What was not done leaves no trace under its key, so that the key can still be used."""
    given = EVERY_KIND["refund.issue"]
    with pytest.raises(NotDone):
        act(desk, "refund.issue", {**given, "amount": "99.00 USD"}, "k")
    assert desk.lookup("refund.issue", "k").looked is Looked.NOT_DONE
    act(desk, "refund.issue", given, "k")
    assert desk.money_moved("USD") == 1850


@pytest.mark.parametrize("kind", WRITES)
def test_fault_before_the_effect(desk: Sandbox, tmp_path: Path, kind: str) -> None:
    """Failed and not done: nothing changed, the lookup says so, the same key then works."""
    request = prepare(desk, kind, EVERY_KIND[kind]).request
    before = state(desk, tmp_path)
    desk.fault = Fault.BEFORE_EFFECT
    with pytest.raises(TimeoutError):
        desk.execute(kind, request, "k", now=NOW)
    assert state(desk, tmp_path) == before
    assert desk.lookup(kind, "k").looked is Looked.NOT_DONE
    desk.fault = None
    receipt = desk.execute(kind, request, "k", now=NOW)
    assert desk.lookup(kind, "k").receipt == receipt


@pytest.mark.parametrize("kind", WRITES)
def test_fault_after_the_effect(desk: Sandbox, tmp_path: Path, kind: str) -> None:
    """Failed but done: the effect stands, the lookup finds it, the same key does not repeat it."""
    request = prepare(desk, kind, EVERY_KIND[kind]).request
    before = state(desk, tmp_path)
    desk.fault = Fault.AFTER_EFFECT
    with pytest.raises(TimeoutError):
        desk.execute(kind, request, "k", now=NOW)
    after = state(desk, tmp_path)
    assert after != before
    found = desk.lookup(kind, "k")
    assert found.looked is Looked.DONE
    desk.fault = None
    assert desk.execute(kind, request, "k", now=NOW) == found.receipt
    assert state(desk, tmp_path) == after


def test_faults_hit_reversals_too(desk: Sandbox) -> None:
    """A reversal whose answer was lost is found, and money is taken back once."""
    receipt = act(desk, "refund.issue", EVERY_KIND["refund.issue"], "k")
    desk.fault = Fault.AFTER_EFFECT
    with pytest.raises(TimeoutError):
        take_back(desk, "refund.issue", receipt, "u")
    desk.fault = None
    assert desk.lookup("refund.reverse", "u").looked is Looked.DONE
    take_back_request = {"refund": receipt.provider_ref}
    request = prepare(desk, "refund.reverse", take_back_request).request
    assert desk.execute("refund.reverse", request, "u", now=NOW).result["status"] == "reversed"
    assert desk.balance("P-5001").refunded_minor == 0


def test_lost_answer_hides_a_refusal_as_well(desk: Sandbox) -> None:
    """With the answer lost nobody learns that the desk said no; the lookup tells."""
    desk.fault = Fault.AFTER_EFFECT
    with pytest.raises(TimeoutError):
        act(desk, "refund.issue", {**EVERY_KIND["refund.issue"], "amount": "99.00 USD"}, "k")
    assert desk.lookup("refund.issue", "k").looked is Looked.NOT_DONE


def test_reads_do_not_know_faults(desk: Sandbox) -> None:
    """Faults are for writes: reading goes on."""
    for fault in Fault:
        desk.fault = fault
        assert act(desk, "ticket.read", {"ticket": "T-101"}, "k").result["ticket"] == "T-101"


def test_ids_come_from_the_key(desk: Sandbox, tmp_path: Path) -> None:
    """Two desks that do the same under the same key give the same reference."""
    with Sandbox.open(tmp_path / "twin.sqlite3") as twin:
        for kind in WRITES:
            here = act(desk, kind, EVERY_KIND[kind], f"k-{kind}")
            assert act(twin, kind, EVERY_KIND[kind], f"k-{kind}") == here


def test_one_key_on_eight_threads_is_one_effect(desk: Sandbox) -> None:
    """However often one key is sent at once, one refund is made and all get its receipt."""
    request = prepare(desk, "refund.issue", EVERY_KIND["refund.issue"]).request
    start = threading.Barrier(8)
    receipts: list[object] = []

    def send() -> None:
        start.wait()
        receipts.append(desk.execute("refund.issue", request, "k", now=NOW))

    run_all([threading.Thread(target=send) for _ in range(8)])
    assert len(receipts) == 8
    assert all(receipt == receipts[0] for receipt in receipts)
    assert desk.balance("P-5001").refunded_minor == 1850


def test_no_over_refund_on_eight_threads(desk: Sandbox) -> None:
    """Eighty refunds race for a payment that covers fifty-four; exactly fifty-four are made."""
    given = {"order": "O-5001", "amount": "1.00 USD", "reason": "other"}
    request = prepare(desk, "refund.issue", given).request
    start = threading.Barrier(8)
    done: list[str] = []
    refused: list[str] = []

    def race(thread: int) -> None:
        start.wait()
        for turn in range(10):
            key = f"k-{thread}-{turn}"
            try:
                desk.execute("refund.issue", request, key, now=NOW)
                done.append(key)
            except NotDone:
                refused.append(key)

    run_all([threading.Thread(target=race, args=(thread,)) for thread in range(8)])
    assert (len(done), len(refused)) == (54, 26)
    assert desk.balance("P-5001").refunded_minor == desk.money_moved("USD") == 5400
    assert all(desk.lookup("refund.issue", key).looked is Looked.DONE for key in done)
    assert all(desk.lookup("refund.issue", key).looked is Looked.NOT_DONE for key in refused)


def test_table_itself_refuses_an_over_refund(desk: Sandbox, tmp_path: Path) -> None:
    """Whoever writes to the file by hand cannot refund more than was captured, or less than 0."""
    db = apsw.Connection(str(tmp_path / "desk.sqlite3"))
    for refunded in (5491, -1):
        with pytest.raises(apsw.ConstraintError, match="refunded_within_captured"):
            db.execute("UPDATE payments SET refunded_minor = ? WHERE id = 'P-5001'", (refunded,))
    db.close()


def run_all(threads: list[threading.Thread]) -> None:
    """Start every thread and wait for all of them."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
