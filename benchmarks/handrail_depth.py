"""handrail with much behind it: very many waiting actions, and very many entries in its log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import apsw
import uvloop

from benchmarks.callers import call_for
from benchmarks.figures import NS_PER_S, Figures
from benchmarks.handrail_desk import RefundDesk
from handrail.bootstrap import STORE_FILE
from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.proposal import Proposal
from handrail.engine.base.context import GATEWAY
from handrail.prove.verify import Report, verify_log
from handrail.store.protocol import Tx, Unit

__all__ = ["PAGE", "Verified", "deepen", "queue_page", "verify"]

PAGE: Final = 50
AT_ONCE: Final = 64
PER_UNIT: Final = 2_000
"""Entries written in one unit."""
PAGE_ROWS: Final = 1_000
CAP: Final = "usd-per-day"
LEAVES: Final = "SELECT leaf FROM entry WHERE desk = ? ORDER BY idx"


class Verified(NamedTuple):
    """One verification beside a bare loop over the same rows, in turns.

    Each is entries a second; the times are of a whole pass. `shares` has, for each turn, how fast
    verifying the log was against the bare loop: 0.6 is 60 %.
    """

    log: Figures
    bare: Figures
    whole: Figures
    shares: Sequence[float]


def deepen(refunds: RefundDesk, *, pending: int, entries: int) -> None:
    """Let `pending` refunds wait for a person, and fill the log up to `entries`.

    The refunds are real proposals. The entries on top are appended through the log's own way in,
    to the waiting actions, as long as the average of a refund's own; it all verifies.
    """
    uvloop.run(_repeat(refunds.wait_soon, pending))
    store, desk = refunds.ctx.store, refunds.desk.id
    missing = entries - store.read(lambda tx: tx.log.size(desk))
    more = islice(_more_entries(refunds, per_action=-(-missing // pending)), max(0, missing))
    while some := list(islice(more, PER_UNIT)):
        store.write(_append(some))


def queue_page(refunds: RefundDesk, *, seconds: float) -> Figures:
    """Read the first page of the queue and make its cards, again and again."""

    def read() -> None:
        cards = refunds.desk.queue(most=PAGE)
        if len(cards) != PAGE:
            raise RuntimeError(f"the page has {len(cards)} cards, not {PAGE}")

    return call_for(read, in_flight=1, seconds=seconds)


def verify(refunds: RefundDesk, folder: Path, *, turns: int) -> Verified:
    """Verify the log and read it bare, in turns; then verify it with its business rows, once.

    The bare loop reads the database in `folder` through a connection of its own. Raises
    RuntimeError when something is found: then nothing was measured.
    """
    desk = refunds.desk.id
    bare, log = [], []
    connection = apsw.Connection(str(folder / STORE_FILE), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        for _ in range(turns):
            bare.append(_timed(lambda: _read_and_hash(connection, desk)))
            log.append(_timed(lambda: _verify(refunds, rows=False).size))
    finally:
        connection.close()
    whole = _timed(lambda: _verify(refunds, rows=True).size)
    shares = [one.per_s / other.per_s for one, other in zip(log, bare, strict=True)]
    return Verified(Figures.median(log), Figures.median(bare), whole, shares)


async def _repeat(operation: Callable[[], Awaitable[object]], times: int) -> None:
    left = iter(range(times))

    async def take() -> None:
        for _ in left:
            await operation()

    await asyncio.gather(*(take() for _ in range(AT_ONCE)))


def _more_entries(refunds: RefundDesk, *, per_action: int) -> Iterator[Entry]:
    """Entries about the waiting actions, none of which changes its row."""
    desk, after = refunds.desk.id, ""
    while page := refunds.ctx.store.read(_page(desk, after)):
        for proposal in page:
            entry = Entry(
                at=proposal.updated_at,
                desk=desk,
                tag=Tag.ACTION_WAITED.value,
                actor=GATEWAY,
                task=proposal.task,
                proposal=proposal.id,
                subject=proposal.subject,
                data={"state": proposal.state.value, "cap": CAP, "digest": proposal.digest},
                rows={"proposal": row_commitment(proposal)},
            )
            yield from [entry] * per_action
        after = page[-1].id


def _page(desk: str, after: str) -> Unit[list[Proposal]]:
    return lambda tx: tx.proposals.page(desk, after=after, most=PAGE_ROWS)


def _append(entries: Sequence[Entry]) -> Unit[None]:
    def unit(tx: Tx) -> None:
        for entry in entries:
            tx.log.append(entry)

    return unit


def _verify(refunds: RefundDesk, *, rows: bool) -> Report:
    signer = refunds.ctx.signer
    report = verify_log(
        refunds.ctx.store,
        refunds.desk.id,
        key=signer.verifier,
        verify=signer.verify,
        outside=refunds.ctx.store.kept_checkpoints(refunds.desk.id),
        rows=rows,
    )
    if not report.good:
        raise RuntimeError(f"the log does not verify: {report.findings[0].what}")
    return report


def _read_and_hash(connection: apsw.Connection, desk: str) -> int:
    """The least that a verifier has to do: every leaf, and its hash."""
    count = 0
    for (leaf,) in connection.execute(LEAVES, (desk,)):
        sha256(leaf).digest()
        count += 1
    return count


def _timed(passing: Callable[[], int]) -> Figures:
    """One pass over so many entries: entries a second, and the time of the pass."""
    begin_ns = time.perf_counter_ns()
    count = passing()
    took_ns = time.perf_counter_ns() - begin_ns
    return Figures(
        per_s=count * NS_PER_S / took_ns, p50_ms=took_ns / 1e6, p99_ms=took_ns / 1e6, n=count
    )
