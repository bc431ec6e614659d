"""What the agent is told: what happened, what to tell the customer, what not to retry.

Never a threshold, a limit, a rule's figure or a colleague's name.
"""

from __future__ import annotations

from typing import Final

from handrail.core.decide import Decision, ReasonCode
from handrail.core.lifecycle import State
from handrail.core.policy import Otherwise
from handrail.core.proposal import Proposal

__all__ = ["advice_of", "told_of"]

_WAITS: Final = (
    "Held for a person as {id}. Do not send it again and do not rephrase it. Tell the customer that"
    " a colleague is checking this and will follow up; promise no result and no time."
)
_ADVICE: Final[dict[State, str]] = {
    State.PENDING: _WAITS,
    State.READY: (
        "Accepted as {id}; it will run shortly. Do not send it again. Tell the customer that it is"
        " being processed."
    ),
    State.HOLDING: (
        "Accepted as {id}; it goes out after a short delay in which it can still be recalled. Do"
        " not send it again."
    ),
    State.EXECUTING: "Running now as {id}. Do not send it again; ask for its state instead.",
    State.UNKNOWN: (
        "It is not known yet whether {id} went through. Do not send it again, in any form. Tell the"
        " customer that a colleague is checking; do not say that it was done."
    ),
    State.SUCCEEDED: "Done as {id}. You may tell the customer that it is done.",
    State.FAILED: (
        "{id} was not done: the system of record said no. Do not send the same again. Read the"
        " error, correct what is wrong, or escalate."
    ),
    State.REJECTED: (
        "A person looked at {id} and said no. Do not send it again, rephrased or split. Tell the"
        " customer that a colleague has decided against it, and offer to hand over to a person."
    ),
    State.EXPIRED: (
        "{id} ran out of time and was not done. Nobody said no. Tell the customer that a colleague"
        " will follow up, and escalate if it is still needed."
    ),
    State.WITHDRAWN: "{id} was withdrawn before it ran. Nothing was done.",
    State.SUPERSEDED: "A colleague replaced {id} by a corrected action. Do not send yours again.",
    State.ESCALATED: (
        "{id} was handed to a person with everything known about it. Tell the customer that a"
        " colleague takes over. Do not send it again."
    ),
    State.REFUSED: (
        "Refused as {id}: this is not something that can be done here. Do not try it again,"
        " rephrased or split. If the customer needs it, escalate to a person."
    ),
}
_OUTSIDE_LANE: Final = (
    "Refused as {id}: it is outside this task. This task covers only its own ticket and customer."
    " Do not try again; tell the customer that you cannot help with that here, or escalate."
)
_TOO_MUCH: Final = (
    "Refused as {id}: too much waits already. Do not send it again now. Tell the customer that a"
    " colleague will follow up; if it cannot wait, escalate to a person."
)
_HALTED: Final = (
    "Refused as {id}: work is stopped for now. Do not retry, rephrase or split it. Tell the"
    " customer that a colleague will follow up; you can still escalate to a person."
)
_REFUSED: Final[dict[str, str]] = {
    ReasonCode.HALTED.value: _HALTED,
    ReasonCode.OUTSIDE_LANE.value: _OUTSIDE_LANE,
    ReasonCode.DENIED_BEFORE.value: (
        "Refused as {id}: the same was denied before, and a person has been told that it came"
        " again. Do not send it again, rephrased or split. Tell the customer that a colleague has"
        " decided against it, and offer to hand over to a person."
    ),
    ReasonCode.OPEN_ALREADY.value: (
        "Refused as {id}: the same is under way already as {other}. Do not send it again, in any"
        " form. Tell the customer that it is being dealt with."
    ),
    ReasonCode.TOO_MANY_OPEN.value: _TOO_MUCH,
    ReasonCode.QUEUE_FULL.value: _TOO_MUCH,
}
"""What is said of a refusal, by its first reason that is named here."""

_HALTED_WAITS: Final = (
    "Accepted as {id}, and it waits: work is stopped for now. Do not send it again. Tell the"
    " customer that a colleague will follow up; do not say that it was done."
)
_SENT_BACK: Final = (
    "A person looked at {id} and asked for changes; it will not be done as it is. Read what they"
    " wrote, change that and nothing else, and propose it once more in this task: they are shown"
    " what is different. Do not send the same again. Tell the customer that a colleague is checking"
    " this; promise no result and no time."
)


def told_of(decision: Decision) -> str | None:
    """What the policy has for the agent about the first check that stands in the way, if any."""
    if not decision.failed:
        return None
    said = (one.agent for one in decision.failed if one.outcome is not Otherwise.FLAG)
    return next((text for text in said if text is not None), None)


def advice_of(proposal: Proposal) -> str:
    """A sentence or three for the agent about where its action stands."""
    codes = proposal.reasons.split(",")
    if proposal.state is State.READY and ReasonCode.HALTED.value in codes:
        return _HALTED_WAITS.format(id=proposal.id)
    if proposal.sent_back_at is not None:
        return _SENT_BACK.format(id=proposal.id)
    if proposal.state is State.REFUSED:
        for code in codes:
            if code in _REFUSED:
                return _REFUSED[code].format(id=proposal.id, other=proposal.same_as)
    said = _ADVICE[proposal.state].format(id=proposal.id)
    if proposal.told is not None and proposal.state in (State.REFUSED, State.PENDING):
        said += f" {proposal.told}"
    if proposal.superseded_by is not None:
        said += f" What became of it is under {proposal.superseded_by}."
    return said
