"""A shop of the benchmark as a handrail connector: its process behind the loopback socket.

Everything that the gateway knows about a call beyond its arguments is read here from the shop's own
records, before the call: whose account it touches, and how much money it moves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from benchmarks.tau.client import Backend, BackendRefused
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

__all__ = ["CURRENCY", "SHOP", "ShopConnector"]

SHOP: Final = "shop"
"""The connector's name in the packs."""
CURRENCY: Final = "USD"
RECORDS: Final = "the shop's records"
THREAD: Final = "the ticket's messages"
"""The two sources of facts."""
KEY_MS: Final = 24 * 3_600_000
"""The backend remembers a key for as long as it runs; a day is what is promised of it."""
SETTLED_MS: Final = 30_000
"""A lost call is over by then: no tool of the shops takes a second."""


class _ShopCall(msgspec.Struct, frozen=True, kw_only=True):
    """The whole outgoing request: a tool of the shop, in one conversation's database."""

    session: str
    tool: str
    arguments: dict[str, object]


class ShopConnector:
    """One shop. Calls go to the conversation whose `visit` is open; there is one at a time."""

    name = SHOP
    version = "tau2"

    def __init__(self, backend: Backend, domain: str) -> None:
        self._backend = backend
        self._domain = domain
        self._session: str | None = None
        tools = backend.tools(domain)
        self._texts = {tool["name"]: _text_parameters(tool) for tool in tools}
        self._pays = frozenset(tool["name"] for tool in tools if tool["moves_money"])
        self._kinds = {
            tool["name"]: Capability(
                kind=tool["name"],
                promise=Promise.KEYED,
                ttl_ms=KEY_MS,
                settled_after_ms=SETTLED_MS,
                reads_only=tool["type"] != "write",
            )
            for tool in tools
        }

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Open a fresh database of the shop for one conversation, and forget it afterwards."""
        session = self._backend.open(self._domain)
        self._session = session
        try:
            yield
        finally:
            self._session = None
            self._backend.close(session)

    def hear(self, messages: Sequence[tuple[str, str]]) -> None:
        """Let the helpdesk have what customer and desk wrote up to now, as role and text."""
        if self._session is None:
            raise InvalidInput("connector_refused", "no conversation is open")
        self._backend.hear(self._session, messages)

    def kinds(self) -> Mapping[str, Capability]:
        return self._kinds

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        # WHY NOT: raise `subject_unknown` for an order that does not exist. The shop itself says so
        # to the agent when the call is made, and what was recorded was said by the shop.
        if self._session is None:
            raise InvalidInput("connector_refused", "no conversation is open")
        arguments = dict.fromkeys(self._texts.get(kind, ()), "") | params
        owner = self._backend.customer_of(self._session, params)
        facts = [_fact("owner", owner)]
        value: Money | None = None
        if kind in self._pays:
            cents = self._backend.value_cents(self._session, kind, params)
            facts.append(_fact("to_customer_cents", cents))
            value = None if cents is None else Money(minor=max(0, cents), currency=CURRENCY)
        if not self._kinds[kind].reads_only:
            records, said = self._backend.facts(self._session, kind, arguments)
            facts += [_fact(name, found) for name, found in records.items()]
            facts += [_fact(name, found, THREAD) for name, found in said.items()]
        return Prepared(
            customer=owner,
            request=msgspec.structs.asdict(
                _ShopCall(session=self._session, tool=kind, arguments=arguments)
            ),
            facts=tuple(facts),
            value=value,
        )

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        arguments = msgspec.convert(request, _ShopCall).arguments
        return [Line(label=name, text=_text(value)) for name, value in arguments.items()]

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        call = msgspec.convert(request, _ShopCall)
        try:
            answer = self._backend.call(call.session, call.tool, call.arguments, key)
        except BackendRefused as refusal:
            raise NotDone(str(refusal)) from refusal
        return _receipt(answer)

    def lookup(self, kind: str, key: str) -> Found:
        done, answer = self._backend.lookup(key)
        if not done:
            return Found(looked=Looked.NOT_DONE)
        return Found(looked=Looked.DONE, receipt=_receipt(answer))

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        raise InvalidInput("undo_unavailable", "the shops have no tool that takes something back")


def _text_parameters(tool: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts that a tool wants to be given; what an agent leaves out is sent as an empty one."""
    parameters = tool["parameters"]
    needed = parameters.get("required") or ()
    return tuple(name for name in needed if parameters["properties"][name].get("type") == "string")


def _fact(name: str, value: str | int | None, source: str = RECORDS) -> Fact:
    return Fact(name=name, value=value, source=source)


def _receipt(answer: object) -> Receipt:
    """The answer as the text that an agent is given: prices in it are not whole numbers."""
    return Receipt(result={"answer": _text(answer)})


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
