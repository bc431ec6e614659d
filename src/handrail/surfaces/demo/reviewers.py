"""The scripted reviewers of the headless demo. They decide over HTTP, as any client would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

__all__ = ["SCRIPT", "Scripted", "direct", "rule_on_queue", "undo_first"]

TIMEOUT_S: Final = 30.0
CARDS_MAX: Final = 200
REFUSED: Final = (403, 409)


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """What the script decides about an action that waits, found by its kind and amount.

    `verdicts` are (person, verdict, reason) in order. Some are meant to be refused: an owner on
    their own agent's action, a reviewer where a checker is needed, the same person twice.
    """

    kind: str
    value: str | None
    verdicts: tuple[tuple[str, str, str], ...]


SCRIPT: Final = (
    Scripted(
        kind="refund.issue",
        value="120.00 USD",
        verdicts=(("lee", "approve", ""), ("dana", "approve", "")),
    ),
    Scripted(
        kind="refund.issue",
        value="2400.00 USD",
        verdicts=(("dana", "approve", ""), ("lee", "approve", ""), ("chris", "approve", "")),
    ),
    Scripted(
        kind="refund.issue",
        value="500.00 USD",
        verdicts=(("dana", "reject", "more than was paid, and nobody pre-approves a refund"),),
    ),
    Scripted(
        kind="refund.issue",
        value="4800 JPY",
        verdicts=(("chris", "approve", ""), ("chris", "approve", ""), ("sam", "approve", "")),
    ),
    Scripted(
        kind="payout.change",
        value=None,
        verdicts=(("sam", "reject", "not from the address on file"),),
    ),
    Scripted(
        kind="account.cancel",
        value=None,
        verdicts=(("chris", "request_changes", "an order is still on its way; ask first"),),
    ),
    Scripted(kind="account.update", value=None, verdicts=(("dana", "approve", ""),)),
    Scripted(kind="reply.send", value=None, verdicts=(("dana", "approve", ""),)),
)


_RETYPED: Final = {"amount": "value", "customer": "customer", "kind": "kind"}
"""Where in the card stands what a person types once more at G3."""


def direct(url: str = "") -> httpx.Client:
    """A client that talks to this machine: its proxy, if it has one, is for the world outside."""
    return httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)


class _Seat:
    """One logged-in person."""

    def __init__(self, url: str, person: str, password: str) -> None:
        self.http = direct(url)
        login = {"person": person, "password": password}
        answer = self.http.post("/v1/session", json=login).raise_for_status()
        self._csrf = {"x-csrf-token": str(answer.json()["csrf"])}

    def get(self, path: str) -> Any:
        return self.http.get(path).raise_for_status().json()

    def post(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        return self.http.post(path, json=body, headers=self._csrf)


def rule_on_queue(url: str, passwords: Mapping[str, str], tell: Callable[[str], None]) -> int:
    """Decide what waits, by the script; how many verdicts were refused, as they should be.

    `tell` gets a line about each verdict.
    """
    seats = {person: _Seat(url, person, word) for person, word in passwords.items()}
    refused = 0
    try:
        for card in seats["dana"].get(f"/v1/queue?limit={CARDS_MAX}")["items"]:
            for ruling in SCRIPT:
                if ruling.kind == card["kind"] and ruling.value in (None, card["value"]):
                    refused += _apply(seats, card["id"], ruling, tell)
                    break
    finally:
        for seat in seats.values():
            seat.http.close()
    return refused


def _apply(
    seats: Mapping[str, _Seat], id: str, ruling: Scripted, tell: Callable[[str], None]
) -> int:
    """Give each verdict on the digest that its person was shown."""
    refused = 0
    for person, verdict, reason in ruling.verdicts:
        full = seats[person].get(f"/v1/proposals/{id}/full")
        body = {"verdict": verdict, "digest": full["digest"], "reason": reason}
        if full["retype"] is not None:
            body["retyped"] = full["card"][_RETYPED[full["retype"]]]
        answer = seats[person].post(f"/v1/proposals/{id}/reviews", body)
        if answer.status_code in REFUSED:
            refused += 1
            stands = f"not counted: {answer.json()['detail']}"
        else:
            stands = answer.raise_for_status().json()["state"]
        what = f"{ruling.kind} {ruling.value or ''}".rstrip()
        tell(f"  {person:<6} {verdict:<16} {what:<24} {stands}")
    return refused


def undo_first(url: str, password: str, id: str) -> None:
    """Take back an action that ran alone, as a reviewer does with one click."""
    seat = _Seat(url, "dana", password)
    try:
        seat.post(f"/v1/proposals/{id}/undo", {}).raise_for_status()
    finally:
        seat.http.close()
