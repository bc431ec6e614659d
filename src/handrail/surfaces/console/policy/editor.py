"""The editor: the text of a policy, what is wrong with it, what it changes, and proposing it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.policy import Policy
from handrail.core.principal import Role
from handrail.core.text import visible
from handrail.engine.asking.checkers import roster_of
from handrail.engine.asking.quorum import gaps_of
from handrail.engine.base.context import Context, offer_of
from handrail.engine.governing.amendment import activate_amendment, propose_policy_plan
from handrail.engine.governing.comparison import check_version
from handrail.engine.governing.desks import follow_desks
from handrail.engine.governing.versions import active_policy, as_stored
from handrail.errors import HandrailError, NotFound
from handrail.policy.around import Around
from handrail.policy.diff import compare
from handrail.policy.loader import load_text, problems_of, source_text
from handrail.policy.packs import pack_names
from handrail.policy.problem import Problem, Severity, errors_in
from handrail.policy.written import written
from handrail.surfaces.auth import check_role
from handrail.surfaces.console.pages import Visitor, redirect
from handrail.surfaces.console.policy.help import HELP
from handrail.surfaces.console.policy.room import (
    ShownChanges,
    changes_of,
    choice_of,
    choices_of,
)

__all__ = [
    "Examined",
    "NumberedLine",
    "check",
    "editor",
    "examined",
    "propose",
    "sent_policy",
    "sent_text",
]

PROBLEMS_MOST: Final = 100
SOURCE: Final = "text"


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A text that somebody would like to have as the policy, and everything that is known of it.

    `policy` and `changes` are None while it does not load. `refusal` says why it could not be
    proposed as it is; `base` is the digest of the policy that it was compared with.
    """

    text: str
    problems: tuple[Problem, ...]
    base: str
    policy: Policy | None = None
    changes: ShownChanges | None = None
    refusal: str | None = None
    delay_ms: int = 0

    @property
    def errors(self) -> int:
        """How many problems keep it from loading."""
        return len(errors_in(self.problems))


class NumberedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the text with its number, and what is wrong there."""

    n: int
    text: str
    problems: tuple[Problem, ...]
    severity: Severity | None


async def editor(visitor: Visitor) -> Response:
    """The editor with a text to begin with: the active policy, a pack, a version, a proposal."""
    check_role(visitor.person, Role.POLICY_OWNER)
    start = visitor.request.query_params.get("from", "active")
    return _page(visitor, _begun(visitor, start))


async def check(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Say what is wrong with the text and what it changes. Nothing is kept."""
    check_role(visitor.person, Role.POLICY_OWNER)
    found = await examined(visitor, sent_text(form))
    return _page(visitor, found.text, found, reason=form.get("reason", ""))


async def propose(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Propose the text that was checked; with `now`, and when nothing gets looser, activate it."""
    check_role(visitor.person, Role.POLICY_OWNER)
    ctx, desk, by = visitor.gateway.ctx, visitor.desk, visitor.person.id
    found = await examined(visitor, sent_text(form))
    reason = form.get("reason", "").strip()
    again = partial(_page, visitor, found.text, found, reason=reason)
    if found.policy is None:
        return again(status=422, problem="the text does not load, so nothing was proposed")
    if found.policy.digest != form.get("seen"):
        said = "the text changed after it was checked: look at what it changes, then propose it"
        return again(status=409, problem=said)
    if found.base != form.get("base"):
        said = "another policy became active meanwhile: look again at what this text changes"
        return again(status=409, problem=said)
    planned = partial(propose_policy_plan, ctx, desk, found.policy, by=by, reason=reason)
    try:
        amendment = await ctx.store.submit(await visitor.gateway.runner.call(planned))
        if form.get("do") == "now" and not amendment.looser:
            activate = partial(activate_amendment, ctx, desk, amendment.id, by=by)
            await ctx.store.submit(await visitor.gateway.runner.call(activate))
            follow_desks(ctx)
    except HandrailError as error:
        if error.status not in (409, 422, 413, 503):
            raise
        return again(status=error.status, problem=error.message)
    return redirect(f"/policy/proposals/{amendment.id}")


async def examined(visitor: Visitor, text: str) -> Examined:
    """Everything about a text, found out in a thread."""
    ctx, desk = visitor.gateway.ctx, visitor.desk
    return await visitor.gateway.runner.call(partial(_examine, ctx, desk, text))


def sent_text(form: Mapping[str, str]) -> str:
    """The text of a form."""
    return form.get("text", "")


async def sent_policy(visitor: Visitor, form: Mapping[str, str]) -> Policy | Response:
    """The policy of a form: its text, or what was chosen; or the editor, for a text with errors."""
    text = sent_text(form)
    if not text:
        return choice_of(visitor, form.get("policy", "active"))
    found = await examined(visitor, text)
    if found.policy is None:
        said = "the text does not load, so it decides nothing"
        return _page(visitor, text, found, status=422, problem=said)
    return found.policy


def _begun(visitor: Visitor, start: str) -> str:
    """The text to begin with: of the active policy, with the next version."""
    if start in pack_names():
        return source_text(start)
    try:
        chosen = choice_of(visitor, start)
    except NotFound:
        chosen = choice_of(visitor, "active")
    active: Policy = choice_of(visitor, "active")
    if start.startswith("am_"):
        return written(chosen)
    return written(msgspec.structs.replace(chosen, version=active.version + 1))


def _examine(ctx: Context, desk: str, text: str) -> Examined:
    roster = ctx.store.read(lambda tx: roster_of(tx, desk))
    active = ctx.store.read(lambda tx: active_policy(tx, desk))
    offers = {
        name: {kind: offer_of(found) for kind, found in connector.kinds().items()}
        for name, connector in ctx.connectors.items()
    }
    problems = problems_of(text, lambda policy: Around(offers=offers, gaps=gaps_of(policy, roster)))
    found = Examined(text=text, problems=tuple(problems), base=active.digest)
    if found.errors:
        return found
    policy = load_text(text, source=SOURCE)
    return msgspec.structs.replace(
        found,
        policy=policy,
        changes=changes_of(compare(active, as_stored(policy))),
        refusal=_refusal(ctx, policy, active),
        delay_ms=active.clocks.loosening_ms,
    )


def _refusal(ctx: Context, policy: Policy, active: Policy) -> str | None:
    try:
        check_version(policy, active)
        ctx.check_served(policy)
    except HandrailError as error:
        return error.message
    return None


def _page(
    visitor: Visitor,
    text: str,
    found: Examined | None = None,
    *,
    status: int = 200,
    problem: str | None = None,
    reason: str = "",
) -> Response:
    """The editor; characters that hide are tokens in it, and the text with them never loads."""
    return visitor.render(
        "policy_edit.html",
        status=status,
        text=visible(text),
        found=found,
        lines=[] if found is None or not found.problems else _lines(found),
        problem=problem,
        reason=reason,
        starts=choices_of(visitor),
        help=HELP,
    )


def _lines(found: Examined) -> list[NumberedLine]:
    """Every line of a text in which something is wrong, with what is wrong there."""
    by_line: dict[int, list[Problem]] = {}
    for problem in found.problems[:PROBLEMS_MOST]:
        by_line.setdefault(max(1, problem.line), []).append(problem)
    lines = []
    for n, text in enumerate(found.text.split("\n"), 1):
        there = tuple(by_line.get(n, ()))
        errors = errors_in(there)
        worst = Severity.ERROR if errors else Severity.WARNING if there else None
        lines.append(NumberedLine(n=n, text=text, problems=there, severity=worst))
    return lines
