"""How an action stands, told as a sentence: what happened, who decided, what ran."""

from __future__ import annotations

import msgspec

from handrail.core.lifecycle import State
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict
from handrail.engine.showing.show import Shown
from handrail.surfaces.console.language.words import STATE_TONES, STATES, VERDICTS, WHYS

__all__ = ["Standing", "standing_of", "waits_for_room"]

_SENTENCES = {
    State.PENDING: "Nobody has decided yet.",
    State.HOLDING: "It goes out by itself after a short while, and can be recalled until then.",
    State.READY: "It is allowed and runs as soon as it can.",
    State.EXECUTING: "It is being carried out now. Load this page again in a moment.",
    State.UNKNOWN: (
        "The system of record gave no answer, so it may or may not have happened. It is not tried"
        " again; it is looked up, and if that does not help, a person is asked."
    ),
    State.SUCCEEDED: "It was carried out, exactly as shown here.",
    State.FAILED: "The system of record said no. Nothing happened.",
    State.REFUSED: "The policy does not allow it. Nobody was asked and nothing ran.",
    State.REJECTED: "A person said no. Nothing ran.",
    State.EXPIRED: "Its time ran out. Nothing ran.",
    State.WITHDRAWN: "It was taken back before it ran.",
    State.SUPERSEDED: "An edit took its place. This one never runs.",
    State.ESCALATED: "It was handed to a person. It does not run by itself.",
}


_DECIDED = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.REQUEST_CHANGES: "sent back for changes",
    Verdict.ESCALATE: "handed over",
}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an action stands: its state in words, the colour of that, and a sentence.

    `already` says who decided it, for somebody who came too late; None while it waits.
    """

    label: str
    tone: str
    sentence: str
    decided: str | None
    already: str | None = None
    decided_at: int = 0


def standing_of(shown: Shown) -> Standing:
    """Where the shown action stands now."""
    proposal = shown.card.proposal
    return Standing(
        label=_label(proposal),
        tone="" if proposal.undone_by is not None else STATE_TONES.get(proposal.state, ""),
        sentence=_sentence(shown, proposal),
        decided=_decided(shown),
        already=_already(shown),
        decided_at=shown.reviews[-1].review.at if shown.reviews else 0,
    )


def waits_for_room(proposal: Proposal) -> bool:
    """Whether it is allowed and waits for nothing but room under a cap."""
    return proposal.state is State.READY and proposal.reasons.startswith("cap_full")


def _label(proposal: Proposal) -> str:
    if proposal.undone_by is not None:
        return "Undone"
    return STATES[proposal.state] if proposal.sent_back_at is None else "Sent back for changes"


def _sentence(shown: Shown, proposal: Proposal) -> str:
    if proposal.undone_by is not None:
        return "It was carried out, and has been undone since."
    if proposal.state is State.EXPIRED:
        whys = [logged.entry.data.get("why") for logged in shown.entries]
        return next((WHYS[why] for why in reversed(whys) if why in WHYS), "Nothing ran.")
    if proposal.sent_back_at is not None:
        return "A person asked for changes. Nothing ran; the agent may propose it once more."
    if waits_for_room(proposal):
        return "It is allowed, and waits until there is room under a cap."
    return _SENTENCES[proposal.state]


def _decided(shown: Shown) -> str | None:
    """Who said what, for the top of the page: `Dana Whitfield approved`."""
    said = [f"{given.name} {VERDICTS[given.review.verdict]}" for given in shown.reviews]
    return "; ".join(said) or None


def _already(shown: Shown) -> str | None:
    """Who was faster. While it waits for others, nobody is told what one of them said."""
    if shown.card.proposal.state is State.PENDING or not shown.reviews:
        return None
    last = shown.reviews[-1]
    return f"Already {_DECIDED[last.review.verdict]} by {last.name},"
