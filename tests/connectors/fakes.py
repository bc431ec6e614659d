"""Fake providers of all three promises: a till behind a thin connector, as a real one would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from handrail.connectors.protocol import (
    Capability,
    Found,
    Looked,
    NotDone,
    Prepared,
    Promise,
    Receipt,
    Reversal,
)
from handrail.core.action import Params
from handrail.core.artifact import Fact, Line
from handrail.core.money import Money
from handrail.errors import InvalidInput
from tests.connectors.conformance import Break

__all__ = ["Answer", "Shop", "ShopRig", "Till"]

DEFINITE = frozenset((400, 402, 404, 422))
"""The allow-list: what the till certainly did not do when it answers like this."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a till answers: a status and a body, as over HTTP."""

    status: int
    body: dict[str, object] = {}


class Till:
    """A provider. It knows keys, or can be asked, as far as it promises; `next` breaks a call."""

    def __init__(self, promise: Promise) -> None:
        self.promise = promise
        self.paid: list[dict[str, object]] = []
        self.by_key: dict[str, dict[str, object]] = {}
        self.next: Break | None = None

    def pay(self, body: Mapping[str, object], key: str) -> Answer:
        """One call; raises TimeoutError when no answer comes."""
        how, self.next = self.next, None
        if how is Break.SAYS_NO:
            return Answer(status=402)
        if how is Break.FAILED_NOT_DONE:
            return Answer(status=500)
        if how is Break.TIMED_OUT_NOT_DONE:
            raise TimeoutError
        known = self.by_key.get(key) if self.promise is Promise.KEYED else None
        if known is not None:
            return Answer(status=200, body=known)
        paid = {**body, "id": f"p-{len(self.paid) + 1}", "key": key}
        if how is Break.WRONG_BODY:
            paid["minor"] = 1
        self.paid.append(paid)
        self.by_key[key] = paid
        if how is Break.FAILED_DONE:
            return Answer(status=500)
        if how is Break.TIMED_OUT_DONE:
            raise TimeoutError
        return Answer(status=200, body=paid)

    def ask(self, key: str) -> Answer:
        """Whether there is a payment under a key; who promises nothing answers nothing."""
        if self.promise is Promise.BLIND:
            return Answer(status=501)
        found = self.by_key.get(key)
        return Answer(status=404) if found is None else Answer(status=200, body=found)


class Shop:
    """A connector to a till, with the kind `pay`."""

    name = "shop"
    version = "1"

    def __init__(self, till: Till) -> None:
        self.till = till

    def kinds(self) -> Mapping[str, Capability]:
        """One kind, under the till's promise."""
        ttl_ms = 24 * 3_600_000 if self.till.promise is Promise.KEYED else 0
        return {"pay": Capability(kind="pay", promise=self.till.promise, ttl_ms=ttl_ms)}

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """The whole request; the till's open account is a fact."""
        amount = params["amount"]
        assert isinstance(amount, Money)
        request: dict[str, object] = {
            "customer": params["customer"],
            "minor": amount.minor,
            "currency": amount.currency,
        }
        facts = (Fact(name="account", value="open", source="till"),)
        return Prepared(customer=str(params["customer"]), request=request, facts=facts)

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """Every field."""
        return [Line(label=name, text=str(value)) for name, value in request.items()]

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """Pay. A status of the allow-list is a definite no; any other error is not."""
        answer = self.till.pay(request, key)
        if answer.status in DEFINITE:
            raise NotDone(f"the till says {answer.status}")
        if answer.status != 200:
            raise RuntimeError(f"the till says {answer.status}")
        return _receipt(answer)

    def lookup(self, kind: str, key: str) -> Found:
        """By our key."""
        answer = self.till.ask(key)
        if answer.status == 404:
            return Found(looked=Looked.NOT_DONE)
        if answer.status != 200:
            return Found(looked=Looked.CANNOT_TELL)
        return Found(looked=Looked.DONE, receipt=_receipt(answer))

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """There is none."""
        raise InvalidInput("undo_unavailable", "a till takes nothing back")


def _receipt(answer: Answer) -> Receipt:
    did = {name: answer.body[name] for name in ("customer", "minor", "currency")}
    return Receipt(provider_ref=str(answer.body["id"]), result={"paid": True}, did=did)


class ShopRig:
    """The kit's rig over a shop."""

    kind = "pay"

    def __init__(self, promise: Promise) -> None:
        self.till = Till(promise)
        self.connector = Shop(self.till)
        self.params: Params = {
            "customer": "c-1",
            "amount": Money.parse("18.50 USD"),
        }
        self.other: Params = self.params | {"amount": Money.parse("99.00 USD")}

    def effects(self) -> int:
        """What was paid."""
        return len(self.till.paid)

    def break_next(self, how: Break) -> bool:
        """A till can fail in every way."""
        self.till.next = how
        return True
