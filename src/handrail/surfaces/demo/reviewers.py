"""The scripted reviewers of the headless demo. They decide over HTTP, as a browser would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from handrail.core.money import Money

__all__ = ["SCRIPT", "Ruling", "rule_on_queue", "undo_first"]

TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What the script decides about an action that waits: by kind and amount."""

    kind: str
    value: str | None
    verdicts: tuple[tuple[str, str, str], ...]
    """(person, verdict, reason), in order; a refused one is expected and counted."""


SCRIPT: Final = (
    Ruling(
        kind="refund.issue",
        value="120.00 USD",
        verdicts=(("lee", "approve", ""), ("dana", "approve", "")),
    ),
    Ruling(
        kind="refund.issue",
        value="2400.00 USD",
        verdicts=(("dana", "approve", ""), ("lee", "approve", ""), ("chris", "approve", "")),
    ),
    Ruling(
        kind="refund.issue",
        value="500.00 USD",
        verdicts=(("dana", "reject", "more than was paid, and nobody pre-approves a refund"),),
    ),
    Ruling(
        kind="refund.issue",
        value="4800 JPY",
        verdicts=(("chris", "approve", ""), ("chris", "approve", ""), ("sam", "approve", "")),
    ),
    Ruling(
        kind="payout.change",
        value=None,
        verdicts=(("sam", "reject", "not from the address on file"),),
    ),
    Ruling(
        kind="account.cancel",
        value=None,
        verdicts=(("chris", "request_changes", "an order is still on its way; ask first"),),
    ),
    Ruling(kind="account.update", value=None, verdicts=(("dana", "approve", ""),)),
    Ruling(kind="reply.send", value=None, verdicts=(("dana", "approve", ""),)),
)


class _Seat:
    """One logged-in person."""

    def __init__(self, url: str, person: str, password: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=TIMEOUT_S)
        answer = self.http.post("/v1/session", json={"person": person, "password": password})
        answer.raise_for_status()
        self._csrf = {"x-csrf-token": answer.json()["csrf"]}

    def get(self, path: str) -> Any:
        answer = self.http.get(path)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        return self.http.post(path, json=body, headers=self._csrf)


def rule_on_queue(url: str, passwords: Mapping[str, str]) -> int:
    """Decide what waits, by the script; how many verdicts were refused for want of independence."""
    seats = {person: _Seat(url, person, word) for person, word in passwords.items()}
    refused = 0
    for card in seats["dana"].get("/v1/queue?limit=200")["items"]:
        proposal = card["proposal"]
        ruling = _ruling_for(proposal)
        for person, verdict, reason in ruling.verdicts if ruling is not None else ():
            body = {"verdict": verdict, "digest": proposal["statement"], "reason": reason}
            answer = seats[person].post(f"/v1/proposals/{proposal['id']}/reviews", body)
            refused += answer.status_code in (403, 409)
    for seat in seats.values():
        seat.http.close()
    return refused


def undo_first(url: str, password: str, ids: list[str]) -> None:
    """Take back the first of these actions, as a reviewer does with one click."""
    seat = _Seat(url, "dana", password)
    seat.post(f"/v1/proposals/{ids[0]}/undo", {}).raise_for_status()
    seat.http.close()


def _ruling_for(proposal: Mapping[str, Any]) -> Ruling | None:
    for ruling in SCRIPT:
        value = _value_of(proposal)
        if ruling.kind == proposal["kind"] and ruling.value in (None, value):
            return ruling
    return None


def _value_of(proposal: Mapping[str, Any]) -> str | None:
    if proposal["value_minor"] is None:
        return None
    return Money(minor=proposal["value_minor"], currency=proposal["currency"]).text()
