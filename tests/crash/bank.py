"""A system of record that outlives every process: what it did is told at once to who survives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from handrail.connectors.protocol import (
    Capability,
    Found,
    Looked,
    Prepared,
    Promise,
    Receipt,
    Reversal,
)
from handrail.core.action import Params
from handrail.core.artifact import Fact, Line
from handrail.core.money import Money

__all__ = ["SETTLED_MS", "Bank", "Done"]

SETTLED_MS: Final = 5_000
CUSTOMER: Final = "c-1"
_KINDS: Final = ("pay", "mail", "pay.back")


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Something that really happened."""

    key: str
    kind: str
    request: dict[str, object]

    @property
    def receipt(self) -> Receipt:
        """What it is answered with."""
        return Receipt(provider_ref=f"ref-{self.key}", result={"ref": f"ref-{self.key}"})


class Bank:
    """Serves every kind under one promise, and keeps that promise and no other.

    Of an undo handrail wants to find out whether it was done, so that a blind bank does not serve
    one blindly.

    `moment` is called at the steps of a call; `tell` is told of every effect as it happens.
    """

    name = "desk"
    version = "1"

    def __init__(
        self,
        promise: Promise,
        *,
        done: Sequence[Done] = (),
        moment: Callable[[str, str], None] = lambda step, side: None,
        tell: Callable[[Done], None] = lambda done: None,
    ) -> None:
        self.done = list(done)
        self.looked = 0
        self.calls: list[str] = []
        self._promise = promise
        self._moment = moment
        self._tell = tell

    def kinds(self) -> Mapping[str, Capability]:
        """All of them; the key is remembered for a day."""
        return {
            kind: Capability(
                kind=kind,
                promise=self._promise_of(kind),
                ttl_ms=86_400_000 if self._promise is Promise.KEYED else 0,
                settled_after_ms=SETTLED_MS,
                undoable=kind == "pay",
            )
            for kind in _KINDS
        }

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """The account is there and in order."""
        amount = params.get("amount")
        value = amount if isinstance(amount, Money) else None
        request: dict[str, object] = {"customer": CUSTOMER}
        request |= {name: str(params[name]) for name in ("body", "payment") if name in params}
        if value is not None:
            request |= {"minor": value.minor, "currency": value.currency}
        facts = (Fact(name="account", value="active", source="bank"),)
        return Prepared(customer=CUSTOMER, request=request, value=value, facts=facts)

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """Every field as it is."""
        return [Line(label=name, text=str(value)) for name, value in request.items()]

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """Do it. Under a key that is remembered it is not done again."""
        self._moment("10 send", "before")
        self.calls.append(key)
        self._moment("10 send", "after")
        found = self._known(key) if self._promise is Promise.KEYED else None
        if found is None:
            found = Done(key=key, kind=kind, request=dict(request))
            self.done.append(found)
            self._tell(found)
        self._moment("11 receive", "before")
        return found.receipt

    def lookup(self, kind: str, key: str) -> Found:
        """The truth. Who promised nothing must not be asked."""
        assert self._promise_of(kind) is not Promise.BLIND, "a blind bank was asked"
        self._moment("look up", "before")
        self.looked += 1
        found = self._known(key)
        self._moment("look up", "after")
        if found is None:
            return Found(looked=Looked.NOT_DONE)
        return Found(looked=Looked.DONE, receipt=found.receipt)

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """A payment is taken back by its reference."""
        return Reversal(kind="pay.back", params={"payment": str(receipt.provider_ref)})

    def _promise_of(self, kind: str) -> Promise:
        blind = self._promise is Promise.BLIND
        return Promise.LOOKUP if blind and kind == "pay.back" else self._promise

    def _known(self, key: str) -> Done | None:
        return next((one for one in self.done if one.key == key), None)
