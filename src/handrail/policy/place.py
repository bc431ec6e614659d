"""Where in a policy's text a reason comes from: the line of the rule that gave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from handrail.core.money import Money
from handrail.core.policy import KindRule, Policy
from handrail.core.reason import FailedCheck, Reason, ReasonCode
from handrail.policy.source import ListNode, MapNode, Node, compose
from handrail.policy.written import written

__all__ = ["PolicyLine", "lines_behind"]

_Place = tuple[str | int, ...]
"""Keys from the top of a policy's text down, and numbers in its lists."""

_KINDS: Final = "kinds"
_TOP: Final[Mapping[ReasonCode, _Place]] = {
    ReasonCode.OUTSIDE_LANE: ("lanes",),
    ReasonCode.DENIED_BEFORE: ("limits", "same_action_denied"),
    ReasonCode.OPEN_ALREADY: ("limits", "same_action_open"),
    ReasonCode.TOO_MANY_OPEN: ("limits", "open_per_agent"),
    ReasonCode.QUEUE_FULL: ("limits", "waiting_per_desk"),
    ReasonCode.CAP_FULL: ("caps",),
    ReasonCode.LATE_UNDO: ("clocks", "undo"),
    ReasonCode.ACCUMULATED: ("accumulation",),
}
_OF_KIND: Final[Mapping[ReasonCode, _Place]] = {
    ReasonCode.KIND_DEFAULT: (),
    ReasonCode.VALUE_BAND: ("bands",),
    ReasonCode.UNLISTED_CURRENCY: ("bands",),
    ReasonCode.VALUE_UNKNOWN: ("bands",),
    ReasonCode.CHECK_FAILED: ("checks",),
    ReasonCode.CHECK_FLAGGED: ("checks",),
    ReasonCode.EVALUATION_FAILED: ("checks",),
    ReasonCode.FACTS_MISSING: ("needs",),
    ReasonCode.CLEARED: ("cleared",),
}


class PolicyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a policy's text, counted from 1, as it stands there."""

    number: int
    text: str


def lines_behind(
    policy: Policy,
    kind: str,
    reasons: Sequence[Reason],
    *,
    value: Money | None,
    failed: Sequence[FailedCheck] = (),
) -> tuple[PolicyLine | None, ...]:
    """For each reason the line of `written(policy)` that it comes from.

    None for a reason that no policy gives: a halt, hidden characters, the agent's own warning.
    """
    text = written(policy)
    root, _ = compose(text)
    lines = text.split("\n")
    rule = policy.kinds.get(kind)
    found = []
    for reason in reasons:
        place = _place(reason, rule, value, failed)
        number = None if place is None else _line(root, place)
        found.append(
            None if number is None else PolicyLine(number=number, text=lines[number - 1].strip())
        )
    return tuple(found)


def _place(
    reason: Reason, rule: KindRule | None, value: Money | None, failed: Sequence[FailedCheck]
) -> _Place | None:
    top = _TOP.get(reason.code)
    if top is not None:
        return top
    below = _OF_KIND.get(reason.code)
    if below is None or rule is None:
        return None
    if reason.code is ReasonCode.VALUE_BAND and value is not None:
        tops = [band.up_to_minor for band in rule.bands.get(value.currency, ())]
        steps = (n for n, most in enumerate(tops) if most is None or value.minor <= most)
        below = (*below, value.currency, *list(steps)[:1])
    if below == ("checks",):
        names = (one.name for one in failed if one.text.rstrip(".") in reason.text)
        below = (*below, *list(names)[:1])
    return _KINDS, rule.kind.name, *below


def _line(root: Node | None, place: _Place) -> int | None:
    """The line of the last step of a place that the text has."""
    node, line = root, None
    for step in place:
        if isinstance(node, ListNode) and isinstance(step, int):
            node = node.items[step]
            line = node.line
            continue
        entries = node.entries if isinstance(node, MapNode) else ()
        entry = next((one for one in entries if one[0].text == step), None)
        if entry is None:
            break
        line, node = entry[0].line, entry[1]
    return line
