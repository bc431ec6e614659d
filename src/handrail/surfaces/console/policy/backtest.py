"""A backtest on the desk's own record: what a policy would have done with the newest actions."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from handrail.core.policy import Policy
from handrail.core.text import visible
from handrail.engine.base.context import Context, Rulebook
from handrail.engine.governing.amendment import check_reader
from handrail.errors import Unavailable
from handrail.prove.backtest.page import sections_of
from handrail.prove.backtest.record import newest_of
from handrail.prove.backtest.replay import Replay
from handrail.prove.backtest.tally import Forecast
from handrail.prove.backtest.traffic import Recorded
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.policy.editor import sent_policy, sent_text
from handrail.surfaces.console.policy.room import choices_of, owns_policies

__all__ = ["ACTIONS_MOST", "backtest", "backtested"]

ACTIONS_MOST: Final = 2_000
"""The newest actions that a page replays, so that it answers in seconds. The command has no end."""
DAYS: Final = (1, 7, 30, 90)
REVIEWERS_MOST: Final = 1_000
_DAY_MS: Final = 86_400_000
_WAIT_S_MAX: Final = 3
_AT_WORK: Final = threading.Lock()
"""One at a time in a process: the rest of its work goes on beside it."""


class _Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came out, for the chosen policy and, if that is another one, for the active one."""

    outcome: Forecast
    active: Forecast | None


async def backtest(visitor: Visitor) -> Response:
    """The form: which policy, how many days, among how many people."""
    check_reader(visitor.person)
    return _page(visitor, chosen=visitor.request.query_params.get("policy", "active"))


async def backtested(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Replay the newest actions in a thread, and show what came out."""
    check_reader(visitor.person)
    policy = await sent_policy(visitor, form)
    if isinstance(policy, Response):
        return policy
    days = next((n for n in DAYS if str(n) == form.get("days")), DAYS[-2])
    reviewers = _number(form.get("reviewers", "1"))
    ctx = visitor.gateway.ctx
    work = partial(_try, ctx, visitor.desk, policy, days)
    tried: _Tried = await visitor.gateway.runner.call(work)
    return _page(
        visitor,
        text=sent_text(form),
        chosen=form.get("policy", "active"),
        policy=policy,
        days=days,
        reviewers=reviewers,
        tried=tried,
        # Made by `prove`, of which every text is escaped.
        charts=Markup(sections_of(tried.outcome, reviewers, tried.active)),
    )


def _page(visitor: Visitor, **shown: Any) -> Response:
    asked: dict[str, Any] = {
        "text": "",
        "chosen": "active",
        "policy": None,
        "days": DAYS[-2],
        "reviewers": 1,
        "tried": None,
        "charts": "",
    }
    return visitor.render(
        "policy_backtest.html",
        choices=choices_of(visitor),
        spans=DAYS,
        most=ACTIONS_MOST,
        owner=owns_policies(visitor),
        **{**asked, **shown},
    )


def _try(ctx: Context, desk: str, policy: Policy, days: int) -> _Tried:
    if not _AT_WORK.acquire(timeout=_WAIT_S_MAX):
        said = "another backtest is at work; try again in a moment"
        raise Unavailable("backtest_running", said)
    try:
        since = ctx.clock() - days * _DAY_MS
        records = [
            _seen(one)
            for one in ctx.store.read(
                lambda tx: newest_of(tx, desk, most=ACTIONS_MOST, content=True, since=since)
            )
        ]
        active = ctx.rulebook(desk)
        found = []
        for rules in (Rulebook(policy), active):
            replay = Replay(rules)
            replay.feed(records)
            found.append(replay.outcome())
        found = [
            msgspec.structs.replace(one, policy=name)
            for one, name in zip(found, _names(policy, active.policy), strict=True)
        ]
        same = policy.digest == active.policy.digest
        return _Tried(outcome=found[0], active=None if same else found[1])
    finally:
        _AT_WORK.release()


def _names(policy: Policy, active: Policy) -> tuple[str, str]:
    """What the two are called on the page, so that they can be told apart."""
    names = f"{policy.name} {policy.version}", f"active: {active.name} {active.version}"
    return visible(names[0]), visible(names[1])


def _seen(recorded: Recorded) -> Recorded:
    """With the kind as it can be shown: an agent may have proposed anything as one."""
    kind = visible(recorded.kind)
    return recorded if kind == recorded.kind else msgspec.structs.replace(recorded, kind=kind)


def _number(text: str) -> int:
    return min(max(1, int(text)), REVIEWERS_MOST) if text.isdecimal() and len(text) < 6 else 1
