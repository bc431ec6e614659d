"""The line of a policy that a reason comes from: a table, against the text as it is shown."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.money import Money
from handrail.core.policy import Otherwise
from handrail.core.reason import FailedCheck, Reason, ReasonCode
from handrail.policy.loader import load, load_text
from handrail.policy.packs import pack_text
from handrail.policy.place import lines_behind
from handrail.policy.written import written

PACK: Final = load("support-desk")
CHECKED: Final = load_text(
    pack_text("support-desk").replace(
        "    needs: [order_owner, refundable]\n",
        "    needs: [order_owner, refundable]\n"
        "    facts: {refundable: money}\n"
        "    checks:\n"
        '      paid: {require: "true", otherwise: hold, reviewer: "it was never paid."}\n'
        '      known: {require: "true", otherwise: flag, reviewer: "nobody knows it"}\n',
        1,
    ),
    source="checked",
)

TABLE: Final = [
    ("value_band", "refund.issue", "18.50 USD", "- {up_to: 50.00, grade: G2"),
    ("value_band", "refund.issue", "50.00 USD", "- {up_to: 50.00, grade: G2"),
    ("value_band", "refund.issue", "50.01 USD", "- {up_to: 1000.00, grade: G2"),
    (
        "value_band",
        "refund.issue",
        "9000.00 USD",
        "- {grade: G3, control: maker_checker, checkers: 2}",
    ),
    ("unlisted_currency", "refund.issue", "50.00 CHF", "bands:"),
    ("kind_default", "reply.send", None, "reply.send:"),
    ("facts_missing", "reply.send", None, "needs: [requester, recipient_is_requester]"),
    ("cap_full", "reply.send", None, "caps:"),
    ("outside_lane", "reply.send", None, "lanes:"),
    ("accumulated", "refund.issue", "50.00 USD", "accumulation:"),
    ("denied_before", "reply.send", None, "same_action_denied: 2"),
    ("open_already", "reply.send", None, "same_action_open: 1"),
    ("late_undo", "refund.reverse", None, "undo: 1d"),
    ("halted", "reply.send", None, None),
    ("hidden_content", "reply.send", None, None),
    ("claimed_grade", "reply.send", None, None),
    ("unknown_kind", "gift.send", None, None),
]


@pytest.mark.parametrize(("code", "kind", "amount", "wanted"), TABLE)
def test_the_line(code: str, kind: str, amount: str | None, wanted: str | None) -> None:
    """The line stands in the text at its number; a reason that no policy gives has none."""
    value = None if amount is None else Money.parse(amount)
    reason = Reason(code=ReasonCode(code), text="because")
    (found,) = lines_behind(PACK, kind, [reason], value=value)
    assert (found is None) is (wanted is None)
    if found is not None and wanted is not None:
        assert found.text.startswith(wanted)
        assert written(PACK).split("\n")[found.number - 1].strip() == found.text


def test_the_line_of_a_check() -> None:
    """Each check that did not pass leads to itself, whatever its sentence is turned into."""
    failed = [
        FailedCheck(name="paid", outcome=Otherwise.HOLD, text="it was never paid."),
        FailedCheck(name="known", outcome=Otherwise.FLAG, text="nobody knows it"),
    ]
    reasons = [
        Reason(code=ReasonCode.CHECK_FAILED, text="it was never paid"),
        Reason(code=ReasonCode.CHECK_FLAGGED, text="nobody knows it (could not be checked)"),
        Reason(code=ReasonCode.CHECK_FAILED, text="something else"),
    ]
    found = lines_behind(CHECKED, "refund.issue", reasons, value=None, failed=failed)
    assert [one and one.text for one in found] == ["paid:", "known:", "checks:"]
