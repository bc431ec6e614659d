"""A desk that pays, writes and posts for anybody, to replay what was decided on it live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

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

__all__ = ["POLICY", "Payer"]

POLICY: Final = """\
policy: payers
version: 1
clocks: {approval: 4h, execution: 30m, recall: 10m, task: 366d}
lanes:
  all: {kinds: "*", any_customer: yes}
  paying: {kinds: [pay, credit], any_customer: yes}
  own: {kinds: "*"}
caps:
  account-usd: {scope: account, money: 300.00 USD, window: 5h, kinds: [pay, credit]}
  agent-count: {scope: agent, count: 4, window: 1h, when_full: wait}
  customer-usd: {scope: customer, money: 60.00 USD, window: 3h, kinds: [pay, credit]}
  customers: {scope: agent, accounts: 5, window: 2h, kinds: [pay, credit, letter]}
  desk-eur: {scope: desk, money: 60.00 EUR, window: 2h, when_full: wait}
  kind-count: {scope: kind, count: 3, window: 3h, kinds: [letter]}
  owner-usd: {scope: owner, money: 450.00 USD, window: 4h}
  task-count: {scope: task, count: 6, window: 6h, kinds: [pay, note]}
accumulation:
  window: 2h
  currency: USD
  kinds: {pay: 100, credit: 120}
  rates: {EUR: "1.10"}
  margin: 5
kinds:
  note:
    title: Note
    connector: payer
    axes: {reversibility: 0, blast_radius: 0, stakes: 0}
    params: &who {customer: {type: id, required: "no"}, n: {type: integer}}
    control: run_and_log
  letter:
    title: Letter
    connector: payer
    axes: {reversibility: 1, blast_radius: 1, stakes: 1}
    params: *who
    checks:
      others: {require: open.same_kind < 2, otherwise: hold, reviewer: There are others.}
    control: hold_and_recall
  close:
    title: Close
    connector: payer
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    params: *who
    control: approve
  pay: &pay
    title: Pay
    connector: payer
    axes: {reversibility: 1, blast_radius: 1, stakes: 1}
    params: &money {customer: {type: id}, amount: {type: money}, n: {type: integer}}
    value: amount
    facts: {account: text}
    checks:
      open: {require: facts.account == 'open', otherwise: hold, reviewer: It is not open.}
      known:
        require: facts.account != 'stolen'
        otherwise: refuse
        reviewer: It was stolen.
        agent: It cannot be paid out to.
      odd: {require: params.n % 11 != 3, otherwise: raise_grade, reviewer: An odd number.}
      much: {require: earlier.minor < 6000, otherwise: flag, reviewer: It was a lot lately.}
    cleared:
      when: together.minor <= 5000
      bands:
        USD:
          - {up_to: "45.00", grade: G1, control: run_and_log}
          - {up_to: "300.00", grade: G2, control: approve}
          - {grade: G3, control: refuse}
    bands:
      USD: &bands
        - {up_to: "20.00", grade: G1, control: run_and_log}
        - {up_to: "90.00", grade: G2, control: approve}
        - {up_to: "300.00", grade: G3, control: maker_checker, checkers: 1}
        - {grade: G3, control: refuse}
      EUR: *bands
  credit:
    title: Credit
    connector: payer
    axes: {reversibility: 1, blast_radius: 1, stakes: 1}
    params: *money
    value: amount
    checks:
      others: {require: open.same_kind == 0, otherwise: hold, reviewer: There is another.}
    bands:
      USD:
        - {up_to: "30.00", grade: G1, control: run_and_log}
        - {up_to: "200.00", grade: G2, control: hold_and_recall}
        - {grade: G2, control: approve}
"""


class Payer:
    """Serves every kind of `POLICY`. `fails` says what the next execution ends in; `missing`,
    `against` and `accounts` what is found out about the action with a number.
    """

    name = "payer"
    version = "1"

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.cards: dict[str, str] = {}
        self.missing: dict[object, str] = {}
        self.against: dict[object, str] = {}
        self.accounts: dict[object, str | None] = {}
        self.done: list[str] = []

    def kinds(self) -> Mapping[str, Capability]:
        """All of them, under our keys."""
        kinds = ("note", "letter", "close", "pay", "credit")
        return {kind: Capability(kind=kind, promise=Promise.KEYED, ttl_ms=10**10) for kind in kinds}

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """Who is paid, and onto which card."""
        customer = params.get("customer")
        owner = customer if isinstance(customer, str) else None
        amount = params.get("amount")
        missing, against = self.missing.get(params["n"]), self.against.get(params["n"])
        account = self.accounts.get(params["n"], "open")
        said = {name: value for name, value in params.items() if name != "amount"}
        return Prepared(
            customer=owner,
            request={**said, "kind": kind},
            value=amount if isinstance(amount, Money) else None,
            instrument=None if owner is None else self.cards.get(owner),
            missing=() if missing is None else (missing,),
            facts=(Fact(name="account", value=account, source="payer", against=against),),
        )

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """What it is."""
        return [Line(label="kind", text=kind)]

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """It is done, unless it fails."""
        if self.fails is not None:
            raise self.fails
        self.done.append(key)
        return Receipt()

    def lookup(self, kind: str, key: str) -> Found:
        """What was done is known."""
        return Found(looked=Looked.DONE if key in self.done else Looked.CANNOT_TELL)

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """Nothing is undone here."""
        raise InvalidInput("undo_unavailable", "nothing is undone here")


REFUSAL: Final = NotDone("the bank says no")
