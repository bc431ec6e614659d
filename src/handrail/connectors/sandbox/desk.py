"""The embedded desk: tickets, customers, orders, payments, mailbox and articles in one file.

Everything on it is real but for the shop behind it: a refund moves a balance, a reply lands in a
mailbox, an undo takes it back, and all of it survives a crash.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import apsw

from handrail.connectors.protocol import (
    Capability,
    Found,
    Looked,
    Macro,
    NotDone,
    Prepared,
    Receipt,
    Reversal,
)
from handrail.connectors.sandbox import (
    accounts,
    credits,
    macros,
    reading,
    received,
    refunds,
    replies,
    views,
)
from handrail.connectors.sandbox.effects import Stamp, do_once, receipt_of, request_digest
from handrail.connectors.sandbox.schema import create_tables, open_reader, open_writer
from handrail.connectors.sandbox.seed import SEED_AT, plant
from handrail.connectors.sandbox.served import Served
from handrail.connectors.sandbox.writer import EffectWriter
from handrail.core.action import Params
from handrail.core.artifact import Line
from handrail.errors import InvalidInput, Unavailable

__all__ = ["Fault", "Sandbox"]

T = TypeVar("T")

_SERVED: Final[dict[str, Served[Any]]] = {
    served.capability.kind: served
    for served in (
        reading.TICKET_READ,
        reading.KB_SEARCH,
        replies.REPLY_DRAFT,
        replies.DRAFT_DISCARD,
        replies.REPLY_SEND,
        refunds.REFUND_ISSUE,
        refunds.REFUND_REVERSE,
        credits.CREDIT_GRANT,
        credits.CREDIT_REVOKE,
        accounts.ACCOUNT_UPDATE,
        accounts.ACCOUNT_CANCEL,
        accounts.PAYOUT_CHANGE,
        accounts.LOGIN_CHANGE,
    )
}
_CAPABILITIES: Final = {kind: served.capability for kind, served in _SERVED.items()}


class Fault(Enum):
    """How every write of the desk fails while the fault is switched on.

    Both end in TimeoutError, so that the caller cannot tell them apart: BEFORE_EFFECT leaves
    nothing behind, AFTER_EFFECT has done whatever the request does and loses the answer.
    """

    BEFORE_EFFECT = "before_effect"
    AFTER_EFFECT = "after_effect"


class Sandbox:
    """The embedded desk as a connector. Thread-safe; one file, opened as often as one likes.

    Reads go through one read-only connection per thread, writes through one guarded connection
    that commits together what waits together. `fault` is for tests and simulations.
    """

    name = "desk"
    version = "1"

    def __init__(
        self, path: str | os.PathLike[str], *, seed_at: int | None = None, durable: bool = True
    ) -> None:
        """Open the file, or make it. A new file is filled with samples if `seed_at` is given.

        `seed_at` (milliseconds UTC) is the moment that the samples are dated back from. Without
        `durable` nothing waits for the disk: for simulations that do not cut the power.

        Raises SetupFailed: `directory_unwritable`, `store_damaged`, `store_newer`, `store_failed`.
        """
        self.fault: Fault | None = None
        self._path = Path(path)
        self._local = threading.local()
        self._readers: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._readers_lock = threading.Lock()
        self._closed = False
        self._writer = EffectWriter(open_writer(self._path, durable=durable))
        try:
            self._writer.run(lambda db: _make(db, seed_at))
        except BaseException:
            self._writer.close()
            raise

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        seed: bool = True,
        now: int = SEED_AT,
        durable: bool = True,
    ) -> Self:
        """Open the file, or make it, filled with samples that are dated back from `now`."""
        return cls(path, seed_at=now if seed else None, durable=durable)

    def close(self) -> None:
        """Close every connection; whatever is asked afterwards gets `connector_unavailable`."""
        with self._readers_lock:
            self._closed = True
            readers = list(self._readers)
        self._writer.close()
        for reader in readers:
            reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # the six verbs of a connector

    @staticmethod
    def served() -> Mapping[str, Capability]:
        """The kinds that every desk serves, without opening one."""
        return _CAPABILITIES

    def kinds(self) -> Mapping[str, Capability]:
        return _CAPABILITIES

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        served = _served(kind)
        return self._read(lambda db: served.prepare(db, params, now))

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        return _served(kind).show(request)

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        served = _SERVED.get(kind)
        if served is None:
            raise NotDone(f"this desk does not serve `{kind}`")
        stamp = Stamp(key=key, now=now)
        if served.capability.reads_only:
            return self._read(lambda db: served.do(db, request, stamp))
        fault = self.fault
        if fault is Fault.BEFORE_EFFECT:
            raise TimeoutError("the desk did not answer")
        try:
            receipt = self._do_once(served, request, stamp)
        except NotDone:
            if fault is Fault.AFTER_EFFECT:
                raise TimeoutError("the desk did not answer") from None
            raise
        if fault is Fault.AFTER_EFFECT:
            raise TimeoutError("the desk did not answer")
        return receipt

    def lookup(self, kind: str, key: str) -> Found:
        # Through the writer, and so behind every execution that was handed in before.
        try:
            receipt = self._writer.run(lambda db: receipt_of(db, kind=kind, key=key))
        except (apsw.Error, OSError):
            return Found(looked=Looked.CANNOT_TELL)
        if receipt is None:
            return Found(looked=Looked.NOT_DONE)
        return Found(looked=Looked.DONE, receipt=receipt)

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        reversal = _served(kind).reversal
        if reversal is None or receipt.provider_ref is None:
            raise InvalidInput("undo_unavailable", f"`{kind}` cannot be undone on this desk")
        reverse, param = reversal
        return Reversal(kind=reverse, params={param: receipt.provider_ref})

    def macro(self, id: str, request: Mapping[str, object]) -> Macro:
        return self._read(lambda db: macros.filled(db, id, request))

    # what the console, the demo and tests look at

    def tickets(self) -> list[views.DeskTicket]:
        """Every ticket, by id."""
        return self._read(views.ticket_list)

    def conversation(self, ticket: str) -> list[views.DeskMessage]:
        """The messages of a ticket, oldest first. Raises InvalidInput `subject_unknown`."""
        return self._read(lambda db: views.conversation_of(db, ticket))

    def receive(self, ticket: str, body: str, *, now: int) -> str:
        """The customer writes again; the ticket is open once more. Returns the Message-ID.

        Not an action: nobody proposes what a customer says. Raises InvalidInput `subject_unknown`.
        """
        return self._writer.run(lambda db: received.receive(db, ticket, body, now))

    def ticket_customer(self, ticket: str) -> str:
        """The customer that a ticket belongs to. Raises InvalidInput `subject_unknown`."""
        return self._read(lambda db: views.customer_of(db, ticket))

    def mailbox(self) -> list[views.SentMail]:
        """Every message that left the desk, in the order of leaving."""
        return self._read(views.sent_mails)

    def balance(self, payment: str) -> views.PaymentBalance:
        """What was captured and refunded of a payment. Raises InvalidInput `subject_unknown`."""
        return self._read(lambda db: views.balance_of(db, payment))

    def store_credit(self, customer: str, currency: str) -> int:
        """Unspent store credit of a customer, in minor units."""
        return self._read(lambda db: views.credit_of(db, customer, currency))

    def money_moved(self, currency: str) -> int:
        """Minor units refunded or credited since the desk was made and not taken back."""
        return self._read(lambda db: views.moved_in(db, currency))

    def _do_once(self, served: Served[Any], request: Mapping[str, object], stamp: Stamp) -> Receipt:
        kind = served.capability.kind
        digest = request_digest(kind, request)
        return self._writer.run(
            lambda db: do_once(
                db,
                kind=kind,
                digest=digest,
                stamp=stamp,
                perform=lambda db, stamp: served.do(db, request, stamp),
            )
        )

    def _read(self, question: Callable[[apsw.Connection], T]) -> T:
        """Answer from one moment of the file, on this thread's own read-only connection."""
        try:
            db = self._reader()
            db.execute("BEGIN")
            try:
                return question(db)
            finally:
                db.execute("COMMIT")
        except apsw.Error as error:
            raise Unavailable(
                "connector_unavailable", f"the desk's file cannot be read: {error}"
            ) from error

    def _reader(self) -> apsw.Connection:
        db: apsw.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = open_reader(self._path)
            with self._readers_lock:
                if self._closed:
                    db.close()
                self._readers.add(db)
            self._local.db = db
        return db


def _make(db: apsw.Connection, seed_at: int | None) -> None:
    if create_tables(db) and seed_at is not None:
        plant(db, seed_at)


def _served(kind: str) -> Served[Any]:
    served = _SERVED.get(kind)
    if served is None:
        raise InvalidInput("connector_refused", f"this desk does not serve `{kind}`")
    return served
