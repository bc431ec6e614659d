"""The contract of a connector, stated once. Implementations do not repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Protocol, runtime_checkable

import msgspec

from handrail.core.action import Params
from handrail.core.artifact import Fact, Line
from handrail.core.money import Money
from handrail.core.policy import FactType
from handrail.core.triggers.span import About

__all__ = [
    "Capability",
    "Connector",
    "Found",
    "Looked",
    "Macro",
    "Macros",
    "NotDone",
    "Prepared",
    "Promise",
    "Receipt",
    "Reversal",
]


class Promise(Enum):
    """What a connector can promise about a write.

    KEYED: the provider deduplicates by our key for `ttl_ms`; after that nothing is sent again.
    LOOKUP: it can be asked later whether it happened. BLIND: neither; an unknown outcome ends with
    people.
    """

    KEYED = "keyed"
    LOOKUP = "lookup"
    BLIND = "blind"


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector can do for one action kind.

    `ttl_ms` is how long the provider remembers a key (KEYED). `settled_after_ms` is how long after
    an attempt a lookup can be trusted to say "not done". `undoable` promises that `undo` works.
    `facts` are those that `prepare` reads, with what they hold; None when the connector does not
    say. `reads_only` kinds have no effect: an unknown outcome may simply be run again.
    """

    kind: str
    promise: Promise
    ttl_ms: int = 0
    settled_after_ms: int = 0
    undoable: bool = False
    reads_only: bool = False
    facts: Mapping[str, FactType] | None = None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What `prepare` found, with the gateway's own access.

    `request` is the complete outgoing request, defaults and resolved targets included; it is what
    is shown, hashed and sent. `customer` owns what the action touches, by the system of record,
    None when no customer is touched. `missing` names facts that could not be read. `value` is the
    money that the action moves out, by the system of record: zero when it moves none or brings
    money in, None when that is not known. It wins over what the caller states when it is higher.
    `instrument` identifies what the money goes to (a card, a bank account) so that it is known
    again behind another customer; only a keyed hash of it is kept. `about` is what the system of
    record knows about who gets the texts of the action, by which the finds in them are judged.
    Files that go out are in `request`, under `attachments`: a list of `name`, `type` and `content`
    in base64. HTML is in it under `html`, as it is sent and as it was asked for, beside the text
    that says the same, under `body`. The macro that `body` was written from is there under `macro`,
    by its id. What is not in there is not shown and so must not be sent.

    A fact is a precondition: it is read again right before an action that waited is carried out,
    and one that differs puts the action to a person anew. `background` names the facts that are
    none: what changes by itself or by other actions (counts of a month, say) and is only shown.
    """

    customer: str | None
    request: dict[str, object]
    value: Money | None = None
    instrument: str | None = None
    facts: tuple[Fact, ...] = ()
    missing: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    about: About = About()


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that it was done: the provider's reference, and what the agent may see of it.

    `did` is what the provider says it did, under the names of the request: an amount, a currency, a
    target. What differs from the request is recorded as measured, and a person is told.
    """

    provider_ref: str | None = None
    result: dict[str, object] = {}
    did: dict[str, object] | None = None


class Looked(Enum):
    """The three answers of a lookup."""

    DONE = "done"
    NOT_DONE = "not_done"
    CANNOT_TELL = "cannot_tell"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a lookup, with the receipt when it was done."""

    looked: Looked
    receipt: Receipt | None = None


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """The action that reverses an executed one: it goes the same road as a proposal."""

    kind: str
    params: Mapping[str, object]


class NotDone(Exception):
    """A definite error: the provider said no and nothing happened. Anything else is unknown.

    Carries a short reason in plain words; only errors on the connector's own allow-list become
    this exception.
    """


class Macro(msgspec.Struct, frozen=True, kw_only=True):
    """A canned reply of the helpdesk. `text` is what it says, its placeholders filled or not."""

    id: str
    name: str
    text: str


@runtime_checkable
class Macros(Protocol):
    """What a connector offers besides when its helpdesk has macros; none needs to."""

    def macro(self, id: str, request: Mapping[str, object]) -> Macro:
        """A macro as the helpdesk would fill it in for a prepared request, by its own records.

        Reads only. A placeholder that it cannot fill stays as it is. Raises InvalidInput
        `subject_unknown` when there is no such macro.
        """
        ...


class Connector(Protocol):
    """One system of record. Thread-safe; none of its verbs may be called inside a transaction.

    A correct connector never acts in `prepare`, `preview` or `lookup`; `execute` sends exactly
    `request`, once per `key`; every error that is not certain to mean "nothing happened" leaves as
    any exception other than `NotDone`.
    """

    name: str
    version: str

    def kinds(self) -> Mapping[str, Capability]:
        """The action kinds that it serves."""
        ...

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """Read facts and build the full request.

        Raises InvalidInput `subject_unknown` when the thing named does not exist and
        `connector_refused` when the system of record cannot take the action at all.
        """
        ...

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """What a reviewer sees, from the request alone: literal text, recipient, amount."""
        ...

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """Do it. Raises NotDone when the provider certainly did nothing."""
        ...

    def lookup(self, kind: str, key: str) -> Found:
        """Ask whether the request sent under `key` was done."""
        ...

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """The action that reverses this one. Raises InvalidInput `undo_unavailable`."""
        ...
