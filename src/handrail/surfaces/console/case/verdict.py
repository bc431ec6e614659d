"""The forms of one action: a verdict on what was shown, and an undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from handrail.core.ground import Ground
from handrail.core.lifecycle import UNDER_WAY
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion
from handrail.engine.deciding.testify import Testimony
from handrail.engine.showing.show import show
from handrail.errors import Conflict, HandrailError, InvalidInput, NotAllowed
from handrail.surfaces.auth import check_role, session_cookie
from handrail.surfaces.challenges import signed_in
from handrail.surfaces.console.case.action import DECIDERS, action_page, may_undo
from handrail.surfaces.console.case.deciding import TurnedDown
from handrail.surfaces.console.case.standing import standing_of
from handrail.surfaces.console.pages import Visitor, is_secure, redirect
from handrail.surfaces.named import one_of

__all__ = ["decide", "not_counted", "settle", "undo"]

OUTCOME_WAIT_MS: Final = 2_500
"""How long a form waits for what it has set off; then the page says that it is running."""
_KEEPS_FORM: Final = ("too_soon", "budget_spent")
"""What is right a little later, or for somebody else: the page comes again with what was typed."""


async def decide(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Count a verdict. What cannot count is explained on a page of its own; nothing is lost."""
    id = visitor.request.path_params["id"]
    reason = form.get("reason", "").strip()
    try:
        opinion = _opinion(visitor, form, reason)
        token, reviewed = await visitor.gateway.reviewed(visitor.session, id, opinion)
        await _settled(visitor, reviewed)
    except InvalidInput as error:
        refused = TurnedDown(error=error, form=form)
        return await action_page(visitor, id, refused=refused, typed=reason)
    except (Conflict, NotAllowed) as error:
        if error.code in _KEEPS_FORM:
            refused = TurnedDown(error=error, form=form)
            return await action_page(visitor, id, refused=refused, typed=reason)
        return not_counted(visitor, id, error, reason)
    answer = redirect(f"/actions/{id}")
    if token is not None:
        secure = is_secure(visitor.request)
        answer.headers["set-cookie"] = session_cookie(token, secure=secure)
    return answer


async def settle(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Take down what a person found out about a lost attempt."""
    id = visitor.request.path_params["id"]
    evidence = form.get("evidence", "").strip()
    try:
        said = Testimony(
            person=visitor.person.id,
            done=_outcome(form),
            evidence=evidence,
            provider_ref=form.get("provider_ref", "").strip() or None,
        )
        await visitor.gateway.testify(visitor.desk, id, said)
    except (InvalidInput, Conflict, NotAllowed) as error:
        refused = TurnedDown(error=error, form=form)
        return await action_page(visitor, id, refused=refused, typed=evidence)
    return redirect(f"/actions/{id}")


def _outcome(form: Mapping[str, str]) -> bool:
    said = form.get("outcome", "")
    if said not in ("done", "not_done"):
        raise InvalidInput("field_malformed", "choose one of the buttons")
    return said == "done"


async def undo(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Reverse an executed action, as a new action; then back to where the button was."""
    check_role(visitor.person, *DECIDERS)
    id = visitor.request.path_params["id"]
    decided = await visitor.gateway.undo(visitor.desk, id, maker=visitor.person.id)
    await _settled(visitor, decided.proposal)
    back = "/ran?undid=" if form.get("back") == "ran" else "/actions/"
    return redirect(back + decided.proposal.id)


def _opinion(visitor: Visitor, form: Mapping[str, str], reason: str) -> Opinion:
    try:
        verdict = Verdict(form.get("verdict", ""))
    except ValueError:
        raise InvalidInput("field_malformed", "choose one of the buttons") from None
    if verdict is Verdict.ESCALATE and not reason:
        raise InvalidInput("reason_missing", "say in a few words what the next person should know")
    ground = one_of(Ground, form["ground"], "a ground") if form.get("ground") else None
    if verdict is Verdict.REJECT and ground is None:
        raise InvalidInput("reason_missing", "choose what is wrong with it")
    return Opinion(
        person=visitor.person.id,
        verdict=verdict,
        statement=form.get("digest", ""),
        reason=reason,
        signed=signed_in(form["response"], form.get("nonce", "")) if form.get("response") else None,
        ground=ground,
        retyped=form.get("retyped", ""),
    )


async def _settled(visitor: Visitor, proposal: Proposal) -> None:
    if proposal.state in UNDER_WAY and not proposal.waits_out(visitor.gateway.ctx.clock()):
        runner = visitor.gateway.runner
        await runner.outcome(visitor.desk, proposal.id, wait_ms=OUTCOME_WAIT_MS)


def not_counted(visitor: Visitor, id: str, error: HandrailError, reason: str) -> Response:
    """A page that says what was not counted and why, and how the action stands."""
    shown = show(visitor.gateway.ctx, visitor.desk, id, viewer=visitor.person)
    return visitor.refusal(
        error,
        card=shown.card,
        standing=standing_of(shown),
        typed=reason,
        changed=shown.changed,
        undoable=shown.why_no_undo is None and may_undo(visitor) is None,
    )
