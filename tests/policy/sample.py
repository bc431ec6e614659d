"""A small policy that loads, and a way to spoil it in one place."""

from __future__ import annotations

from typing import Final

__all__ = ["GOOD", "line_with", "spoiled"]

GOOD: Final = """\
policy: small-desk
version: 3
clocks: {approval: 4h, attempt: 30s}
lanes:
  support: {kinds: "*"}
  triage:
    kinds: [ticket.read]
    connectors: [desk]
    any_customer: no
caps:
  refunds-per-day:
    scope: desk
    money: "20000.00 USD"
    window: 24h
    kinds: [refund.issue]
    when_full: wait
  replies: {scope: agent, count: 30, window: 1m}
kinds:
  refund.issue:
    title: Refund
    connector: desk
    axes:
      reversibility: 1
      blast_radius: 1
      stakes: 2
    catchable: yes
    params:
      order: {type: id}
      amount: {type: money}
      reason: {type: choice, of: [damaged, other]}
      note: {type: text, required: no, chars_max: 500}
    value: amount
    needs: [order_owner, refundable]
    undo: refund.reverse
    runs_in: gateway
    bands:
      USD:
        - {up_to: "50.00", grade: G2, control: run_and_notify}
        - {up_to: 1000.00, grade: G2, control: approve}
        - {grade: G3, control: maker_checker, checkers: 2}
      JPY:
        - {up_to: "5000", grade: G2, control: approve}
        - {grade: G3, control: maker_checker, checkers: 1}
  refund.reverse:
    title: Take a refund back
    connector: desk
    axes: {reversibility: 1, blast_radius: 1, stakes: 2}
    control: approve
  ticket.read:
    title: Read a ticket
    connector: desk
    axes: {reversibility: 0, blast_radius: 0, stakes: 0}
    params: {ticket: {type: id}}
    control: run_and_log
"""


def spoiled(old: str, new: str) -> str:
    """The good policy with the one place that reads `old` reading `new`."""
    if GOOD.count(old) != 1:
        raise ValueError(f"{old!r} occurs {GOOD.count(old)} times in the sample")
    return GOOD.replace(old, new)


def line_with(text: str, words: str) -> int:
    """The number of the first line that holds `words`."""
    return text.count("\n", 0, text.index(words)) + 1
