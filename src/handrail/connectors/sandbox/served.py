"""What every action kind of the embedded desk consists of, and how its parameters are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import apsw
import msgspec

from handrail.connectors.protocol import Capability, NotDone, Prepared, Promise, Receipt
from handrail.connectors.sandbox.effects import Stamp
from handrail.connectors.sandbox.facts import FACTS
from handrail.core.action import Params
from handrail.core.artifact import Fact, Line
from handrail.core.money import EXPONENTS, Money
from handrail.errors import InvalidInput

__all__ = [
    "HISTORY_DAYS",
    "HISTORY_MS",
    "DeskRequest",
    "Served",
    "amount_text",
    "date_text",
    "fact",
    "money_of",
    "optional_text_of",
    "read_kind",
    "text_of",
    "unknown",
    "write_kind",
]

KEY_TTL_MS: Final = 24 * 3_600_000
"""How long the desk promises to know a key. (It never forgets one; others do.)"""

SETTLED_AFTER_MS: Final = 1_000
"""How long after an attempt a lookup can be trusted to say "not done"."""

HISTORY_DAYS: Final = 30
HISTORY_MS: Final = HISTORY_DAYS * 86_400_000
"""How far back the facts count earlier refunds, credits and account changes."""


class DeskRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every request that the desk takes: flat, complete, and nothing else in it."""


R = TypeVar("R", bound=DeskRequest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Served(Generic[R]):
    """One action kind as the desk serves it.

    `prepare` reads only. `lines` shows every field of the request. `perform` runs inside the
    writer's transaction, or on a reading connection for a kind that only reads; it raises NotDone
    when the desk's state does not allow the action. `reversal` names the kind that undoes it and
    the parameter that takes the receipt's reference.
    """

    capability: Capability
    request: type[R]
    prepare: Callable[[apsw.Connection, Params, int], Prepared]
    lines: Callable[[R], Sequence[Line]]
    perform: Callable[[apsw.Connection, R, Stamp], Receipt]
    reversal: tuple[str, str] | None = None

    def show(self, request: Mapping[str, object]) -> Sequence[Line]:
        """The lines of a request; InvalidInput `field_malformed` when it is of another kind."""
        try:
            return self.lines(self._read(request))
        except msgspec.ValidationError as error:
            raise InvalidInput(
                "field_malformed", f"not a request of `{self.capability.kind}`: {error}"
            ) from None

    def do(self, db: apsw.Connection, request: Mapping[str, object], stamp: Stamp) -> Receipt:
        """Perform a request; NotDone when it is of another kind."""
        try:
            read = self._read(request)
        except msgspec.ValidationError as error:
            raise NotDone(f"not a request of `{self.capability.kind}`: {error}") from None
        return self.perform(db, read, stamp)

    def _read(self, request: Mapping[str, object]) -> R:
        return msgspec.convert(dict(request), self.request)


def read_kind(kind: str) -> Capability:
    """The capability of a kind that has no effect."""
    return Capability(
        kind=kind,
        promise=Promise.KEYED,
        ttl_ms=KEY_TTL_MS,
        settled_after_ms=SETTLED_AFTER_MS,
        reads_only=True,
        facts=FACTS[kind],
    )


def write_kind(kind: str, *, undoable: bool = False) -> Capability:
    """The capability of a kind that has an effect: once per key, and it can be looked up."""
    return Capability(
        kind=kind,
        promise=Promise.KEYED,
        ttl_ms=KEY_TTL_MS,
        settled_after_ms=SETTLED_AFTER_MS,
        undoable=undoable,
        facts=FACTS[kind],
    )


def fact(name: str, value: str | int | bool | None, table: str, against: str | None = None) -> Fact:
    """A fact read from one of the desk's tables; an empty sentence against it counts as none."""
    return Fact(name=name, value=value, source=f"desk {table}", against=against or None)


def unknown(noun: str, id_: str) -> InvalidInput:
    """The refusal for something named that does not exist."""
    return InvalidInput("subject_unknown", f"no {noun} `{id_}` on this desk")


def text_of(params: Params, name: str) -> str:
    """A text parameter that must be there."""
    value = optional_text_of(params, name)
    if value is None:
        raise InvalidInput("field_missing", f"`{name}` is missing")
    return value


def optional_text_of(params: Params, name: str) -> str | None:
    """A text parameter that may be left out."""
    value = params.get(name)
    if value is None or isinstance(value, str):
        return value
    raise InvalidInput("field_wrong_type", f"`{name}` must be text")


def money_of(params: Params, name: str) -> Money:
    """A money parameter that must be there."""
    value = params.get(name)
    if value is None:
        raise InvalidInput("field_missing", f"`{name}` is missing")
    if not isinstance(value, Money):
        raise InvalidInput("field_wrong_type", f"`{name}` must be an amount of money")
    return value


def amount_text(minor: int, currency: str) -> str:
    """An exact amount in major units, zero included: `0.00 USD`, `500 JPY`."""
    if minor > 0:
        return Money(minor=minor, currency=currency).text()
    exponent = EXPONENTS.get(currency, 0)
    return f"0.{'0' * exponent} {currency}" if exponent else f"0 {currency}"


def date_text(at: int) -> str:
    """The UTC date of a time in milliseconds: `2026-02-28`."""
    return datetime.fromtimestamp(at // 1000, UTC).date().isoformat()
