"""What an auditor asks: what was a customer told, and who approved a payout.

Answers are read from the rows and their log entries; the sentence of each says names, roles, times,
the policy's version, and whether a passkey signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from handrail.core.artifact import Line
from handrail.core.entry import Tag
from handrail.core.lifecycle import State
from handrail.core.money import Money
from handrail.core.policy import Control
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import Review, Verdict
from handrail.engine.base.context import AGENT_CONNECTOR, Context
from handrail.engine.base.record import content_of
from handrail.engine.governing.versions import opened_policy
from handrail.errors import Tampered, Unavailable
from handrail.store.protocol import PolicyVersion, Tx

__all__ = ["FOUND_MAX", "Allowed", "Telling", "Voice", "allowed_of", "find_payouts", "tellings"]

FOUND_MAX: Final = 20
"""Actions that one question finds at most; the newest."""
_TICKET_TASKS_MAX: Final = 50
_DONE: Final = frozenset(
    (Tag.EXECUTION_SUCCEEDED.value, Tag.EXECUTION_FOUND.value, Tag.EXECUTION_CONFIRMED.value)
)
_ALONE: Final = frozenset((Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY, Control.HOLD_AND_RECALL))
_SAID: Final = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.REQUEST_CHANGES: "sent back for changes",
    Verdict.ESCALATE: "handed on",
}
_ENDS: Final[dict[State, str]] = {
    State.PROPOSED: "It is only proposed.",
    State.PENDING: "It waits for a person, and has not run.",
    State.HOLDING: "It is held back, and has not run.",
    State.READY: "It is allowed, and has not run yet.",
    State.EXECUTING: "It is being carried out.",
    State.UNKNOWN: "Whether it was carried out is not known.",
    State.SUCCEEDED: "It was carried out",
    State.FAILED: "It was tried, and not carried out.",
    State.REFUSED: "It never ran.",
    State.REJECTED: "It never ran.",
    State.EXPIRED: "Its time ran out, and it never ran.",
    State.WITHDRAWN: "It was withdrawn, and never ran.",
    State.SUPERSEDED: "A corrected action took its place, and it never ran.",
    State.ESCALATED: "It was handed to a person, and never ran.",
}


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said: `signed` by a passkey, with a break-glass grant in force (`granted`).

    `roles` are those of the account now; `widened` says that it was given more since.
    """

    person: str
    name: str
    roles: tuple[str, ...]
    verdict: Verdict
    statement: str
    at: int
    signed: bool
    granted: bool
    widened: bool


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """Who allowed an action, by which policy, and what became of it. `says` is all of it in words.

    `voices` is empty for whoever may not see what another checker said yet. `version` is the number
    of the policy on this desk, None when it is not kept; `done_at` when it was carried out.
    """

    proposal: Proposal
    title: str
    voices: tuple[Voice, ...]
    version: int | None
    policy: str
    done_at: int | None
    says: str


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """One outgoing text to a customer, with who allowed it.

    `texts` are the parts that leave the desk, by name, exactly as they were sent; None once the
    customer was erased. `lines` are what a person was shown.
    """

    allowed: Allowed
    texts: tuple[Line, ...] | None
    lines: tuple[Line, ...]


def tellings(
    tx: Tx, ctx: Context, viewer: Principal, ref: str, *, after: str = "", most: int
) -> tuple[list[Telling], str | None]:
    """What was to be said to a customer, by their reference, oldest first.

    Also the id to go on after, None when there is no more.
    """
    desk = viewer.desk
    found = tx.proposals.about(desk, ref, kinds=_talking(tx, ctx, desk), after=after, most=most + 1)
    shown = [_telling(tx, ctx, viewer, one) for one in found[:most]]
    return shown, found[most - 1].id if len(found) > most else None


def find_payouts(
    tx: Tx, ctx: Context, viewer: Principal, what: str, value: Money | None = None
) -> list[Allowed]:
    """The actions that a few words name: an action's id, a provider's reference, a ticket or
    customer, and of the last two only those that move money, of `value` if one is given.

    The newest first, at most `FOUND_MAX`.
    """
    desk = viewer.desk
    found: dict[str, Proposal] = {}
    one = tx.proposals.look(desk, what)
    referred = [tx.proposals.by_provider(desk, name, what) for name in _connectors(ctx)]
    for proposal in (one, *referred):
        if proposal is not None:
            found[proposal.id] = proposal
    ref = what if what.startswith("sub_") else tx.vault.find_ref(desk, what)
    if ref is not None:
        of_customer = tx.proposals.moving_money(desk, subject=ref, value=value, most=FOUND_MAX)
        found |= {one.id: one for one in of_customer}
    for task in tx.tasks.of_ticket(desk, what, most=_TICKET_TASKS_MAX):
        of_task = tx.proposals.moving_money(desk, task=task.id, value=value, most=FOUND_MAX)
        found |= {one.id: one for one in of_task}
    newest = [found[id] for id in sorted(found, reverse=True)][:FOUND_MAX]
    return [allowed_of(tx, ctx, viewer, one) for one in newest if value in (None, one.value)]


def allowed_of(tx: Tx, ctx: Context, viewer: Principal, proposal: Proposal) -> Allowed:
    """Who allowed one action, as this person may see it."""
    desk = proposal.desk
    reviews = tx.proposals.reviews(desk, proposal.id)
    if proposal.state is State.PENDING:
        reviews = [one for one in reviews if one.identity == viewer.identity]
    signed = {one.n for one in tx.passkeys.assertions(desk, proposal.id)}
    voices = tuple(_voice(tx, review, review.n in signed) for review in reviews)
    policy = tx.desks.policy(desk, proposal.policy)
    kind = ctx.rulebook(desk).kind(proposal.kind)
    done_at = _done_at(tx, proposal)
    title = proposal.kind if kind is None else kind.title
    return Allowed(
        proposal=proposal,
        title=title,
        voices=voices,
        version=None if policy is None else policy.version,
        policy=proposal.policy if policy is None else policy.name,
        done_at=done_at,
        says=_sentence(proposal, title, voices, policy, done_at),
    )


def _talking(tx: Tx, ctx: Context, desk: str) -> tuple[str, ...]:
    """Every kind by which a text leaves the desk, by any policy that was ever active."""
    known: list[Mapping[str, tuple[str, ...]]] = [ctx.rulebook(desk).outgoing]
    known += (_outgoing_by(one.body, one.digest, desk) for one in tx.desks.policies(desk))
    return tuple(sorted({kind for one in known for kind, names in one.items() if names}))


@lru_cache(maxsize=64)
def _outgoing_by(body: str, digest: str, desk: str) -> Mapping[str, tuple[str, ...]]:
    """Which parameters of each kind leave the desk, by a stored policy."""
    policy = opened_policy(body, digest, desk)
    return {name: rule.kind.outgoing for name, rule in policy.kinds.items()}


def _telling(tx: Tx, ctx: Context, viewer: Principal, proposal: Proposal) -> Telling:
    allowed = allowed_of(tx, ctx, viewer, proposal)
    try:
        content = content_of(tx, proposal)
    except (Unavailable, Tampered):
        return Telling(allowed=allowed, texts=None, lines=())
    names = _outgoing(tx, ctx, proposal)
    params = msgspec.json.decode(content.artifact)["params"]
    texts = [
        Line(label=name, text=params[name]) for name in names if isinstance(params.get(name), str)
    ]
    return Telling(allowed=allowed, texts=tuple(texts), lines=content.lines)


def _outgoing(tx: Tx, ctx: Context, proposal: Proposal) -> Sequence[str]:
    """Which parameters leave the desk, by the policy that decided it."""
    policy = tx.desks.policy(proposal.desk, proposal.policy)
    if policy is None:
        return ctx.rulebook(proposal.desk).outgoing.get(proposal.kind, ())
    return _outgoing_by(policy.body, policy.digest, proposal.desk).get(proposal.kind, ())


def _connectors(ctx: Context) -> tuple[str, ...]:
    return (*ctx.connectors, AGENT_CONNECTOR)


def _voice(tx: Tx, review: Review, signed: bool) -> Voice:
    person = tx.people.get(review.desk, review.person)
    grants = [one for one in tx.grants.everything(review.desk) if one.person == review.person]
    return Voice(
        person=review.person,
        name=review.person if person is None else person.name,
        roles=() if person is None else tuple(role.value for role in person.roles),
        verdict=review.verdict,
        statement=review.statement,
        at=review.at,
        signed=signed,
        granted=any(one.covers(review.at) for one in grants),
        widened=person is not None and person.granted > review.at,
    )


def _done_at(tx: Tx, proposal: Proposal) -> int | None:
    """When it was carried out; of what is not done, never."""
    if proposal.state is not State.SUCCEEDED:
        return None
    entries = tx.log.of_proposal(proposal.desk, proposal.id)
    return max((one.entry.at for one in entries if one.entry.tag in _DONE), default=None)


def _sentence(
    proposal: Proposal,
    title: str,
    voices: Sequence[Voice],
    policy: PolicyVersion | None,
    done_at: int | None,
) -> str:
    value = "" if proposal.value is None else f" of {proposal.value.text()}"
    what = f"{title}{value} ({proposal.id})"
    rules = (
        "a policy that is not kept"
        if policy is None
        else f"the policy {policy.name}, version {policy.version} of this desk"
    )
    verdicts = dict.fromkeys(one.verdict for one in voices)
    said = [
        f"was {_SAID[verdict]} by "
        + " and by ".join(_named(one) for one in voices if one.verdict is verdict)
        for verdict in verdicts
    ]
    if said:
        first = f"{what} {', and '.join(said)}, under {rules}."
    elif proposal.state is State.PENDING and proposal.checkers > 1:
        first = (
            f"Who has approved {what} so far is not shown before all have decided, under {rules}."
        )
    elif proposal.state is State.REFUSED:
        first = f"Nobody approved {what}: {rules} refused it."
    elif proposal.control in _ALONE:
        first = f"Nobody approved {what}: {rules} lets it run without asking."
    else:
        first = f"Nobody has approved {what}: {rules} asks a person."
    return f"{first} {_end(proposal, done_at)}"


def _named(voice: Voice) -> str:
    roles = ", ".join(voice.roles).replace("_", " ") or "no role now"
    since = ", which was given more rights since" if voice.widened else ""
    glass = ", under break-glass" if voice.granted else ""
    signed = "signed with a passkey" if voice.signed else "not signed with a passkey"
    return f"{voice.name} ({roles}{since}) on {_time(voice.at)}, {signed}{glass}"


def _end(proposal: Proposal, done_at: int | None) -> str:
    end = _ENDS[proposal.state]
    if proposal.state is State.SUCCEEDED:
        at = "" if done_at is None else f" on {_time(done_at)}"
        ref = proposal.provider_ref
        end += f"{at}." if ref is None else f"{at}; the provider calls it {ref}."
    if proposal.undone_by is not None:
        end += f" It was undone by {proposal.undone_by}."
    return end


def _time(at: int) -> str:
    when = datetime.fromtimestamp(at // 1000, UTC)
    return f"{when.day} {when.strftime('%b %Y, %H:%M:%S')} UTC"
