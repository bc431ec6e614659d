"""The auditor's two questions: what was that customer told, and who approved this payout?"""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from handrail.core.artifact import Line
from handrail.core.money import Money
from handrail.errors import InvalidInput
from handrail.prove.audit import FOUND_MAX, Telling, find_payouts, tellings
from handrail.store.protocol import Tx
from handrail.surfaces.console.language.amounts import plain_amount
from handrail.surfaces.console.language.words import STATE_TONES, STATES
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.text.literal import hidden_notes

__all__ = ["TELLINGS_PAGE", "audit"]

TELLINGS_PAGE: Final = 20
_CHARS_MAX: Final = 300
_AFTER: Final = re.compile(r"(hr_[0-9a-f]{32})?")


async def audit(visitor: Visitor) -> Response:
    """The page with both questions, and the answer to the one that was asked."""
    query = visitor.request.query_params
    customer, what = _text(query.get("customer")), _text(query.get("what"))
    amount, after = _text(query.get("amount")), query.get("after", "")
    if not _AFTER.fullmatch(after):
        raise InvalidInput("field_malformed", "that is not the id of an action")
    problem, value = _amount(amount)
    ctx, viewer = visitor.gateway.ctx, visitor.person

    def told(tx: Tx) -> tuple[str | None, list[Telling], str | None]:
        ref = _ref(tx, viewer.desk, customer)
        if ref is None:
            return None, [], None
        return ref, *tellings(tx, ctx, viewer, ref, after=after, most=TELLINGS_PAGE)

    ref, texts, following = ctx.store.read(told) if customer else (None, [], None)
    payouts = []
    if what and problem is None:
        payouts = ctx.store.read(lambda tx: find_payouts(tx, ctx, viewer, what, value))
    return visitor.render(
        "audit.html",
        customer=customer,
        what=what,
        amount=amount,
        problem=problem,
        ref=ref,
        texts=texts,
        after=after,
        next_after=following,
        payouts=payouts,
        most=FOUND_MAX,
        states=STATES,
        tones=STATE_TONES,
        hides=_hides,
    )


def _hides(lines: tuple[Line, ...]) -> list[str]:
    return [note for line in lines for note in hidden_notes(line.text)]


def _ref(tx: Tx, desk: str, customer: str) -> str | None:
    """The reference of a customer: an erased one is found by it alone."""
    return customer if customer.startswith("sub_") else tx.vault.find_ref(desk, customer)


def _text(text: str | None) -> str:
    found = "" if text is None else text.strip()
    if len(found) > _CHARS_MAX:
        raise InvalidInput("too_large", "what is searched for is longer than any id")
    return found


def _amount(text: str) -> tuple[str | None, Money | None]:
    """What is wrong with an amount, and the amount."""
    if not text:
        return None, None
    try:
        return None, Money.parse(plain_amount(text))
    except InvalidInput as refusal:
        return refusal.message, None
