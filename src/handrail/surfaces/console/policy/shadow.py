"""The candidate that decides beside the active policy: start it, stop it, where it differs."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from handrail.core.contrast import Leaning
from handrail.core.grade import Grade
from handrail.core.policy import Control, Guard
from handrail.core.principal import Role
from handrail.engine.governing.amendment import check_reader
from handrail.engine.governing.candidates import follow_candidates, start_unit, stop_unit
from handrail.engine.proposing.shadow import Shadowed, shadowed_by
from handrail.errors import NotFound
from handrail.policy.difference import guard_text
from handrail.surfaces.auth import check_role
from handrail.surfaces.console.pages import Visitor, redirect
from handrail.surfaces.console.policy.editor import sent_policy
from handrail.surfaces.console.policy.room import choices_of, owns_policies, who_text

__all__ = ["end_shadow", "shadow", "start_shadow"]


async def shadow(visitor: Visitor) -> Response:
    """What the newest candidate has decided otherwise so far."""
    check_reader(visitor.person)
    ctx = visitor.gateway.ctx
    found: Shadowed | None
    try:
        found = ctx.store.read(shadowed_by(visitor.desk))
    except NotFound:
        found = None
    order = {leaning.value: place for place, leaning in enumerate(Leaning)}
    differing = () if found is None else found.differing
    return visitor.render(
        "policy_shadow.html",
        found=found,
        looser=0 if found is None else found.count(Leaning.LOOSER),
        tighter=0 if found is None else found.count(Leaning.TIGHTER),
        differing=sorted(differing, key=lambda one: (order[one.direction], -one.n)),
        guarded=_guarded,
        choices=choices_of(visitor, active=False),
        owner=owns_policies(visitor),
        may_end=owns_policies(visitor) or Role.ADMIN in visitor.person.roles,
        who=who_text,
    )


async def start_shadow(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Let the text of the editor, or what was chosen, decide beside the active policy."""
    check_role(visitor.person, Role.POLICY_OWNER, Role.ADMIN)
    policy = await sent_policy(visitor, form)
    if isinstance(policy, Response):
        return policy
    ctx = visitor.gateway.ctx
    await ctx.store.submit(start_unit(ctx, visitor.desk, policy, by=visitor.person.id))
    follow_candidates(ctx)
    return redirect("/policy/shadow")


async def end_shadow(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """End it; what it has decided stays."""
    ctx = visitor.gateway.ctx
    await ctx.store.submit(stop_unit(visitor.desk, by=visitor.person.id))
    follow_candidates(ctx)
    return redirect("/policy/shadow")


def _guarded(control: str, checkers: int, grade: int) -> str:
    guard = Guard(control=Control(control), checkers=checkers)
    return f"{guard_text(guard)}, {Grade(grade).name}"
