"""What leaves, and what happened: judged by what the provider was asked and really did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.connectors.protocol import Promise
from handrail.core.artifact import digest_of
from handrail.core.entry import Tag
from handrail.core.halt import Halt
from handrail.core.lifecycle import FINAL, State
from handrail.core.policy import Control
from handrail.engine.base.record import statement_of
from tests.sim.authority import approvals, lacking, own_of
from tests.sim.rules import PAYING, SUM_MS, needed
from tests.sim.view import Sight, View, covers
from tests.sim.world import PROMISES, Word

__all__ = [
    "Arrival",
    "allowed_at_the_door",
    "effects_follow_actions",
    "fresh_at_the_door",
    "intended_before_it_left",
    "judged_by_the_sum",
    "never_sent_in_doubt",
    "no_effect_twice",
    "not_stopped",
    "outcomes_are_known",
    "people_are_told",
    "sent_as_stored",
    "shown_as_stored",
    "what_happened_was_stored",
]

_INTENTS: Final = frozenset((Tag.ACTION_PROPOSED.value, Tag.EXECUTION_INTENDED.value))
_DONE: Final = frozenset((State.EXECUTING, State.UNKNOWN, State.SUCCEEDED))
"""States that an action may be in once its effect has come about."""
STUCK: Final = frozenset(kind for kind, promise in PROMISES.items() if promise is Promise.BLIND)
"""Kinds of which nobody can find out later whether it was done."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A request that arrives at the provider, and the action behind it as it is committed then."""

    kind: str
    key: str
    request: dict[str, object]
    halts: tuple[Halt, ...]
    words: tuple[Word, ...]
    sight: Sight
    now: int


# at the door: before anything else, in a read of what is committed


def allowed_at_the_door(view: View, arrival: Arrival) -> Iterator[str]:
    """I1: one running action, decided under a policy that stands in the log, approved, in time."""
    sight, row = arrival.sight, arrival.sight.row
    if row.state is not State.EXECUTING or row.attempt < 1 or row.kind != arrival.kind:
        yield f"`{row.id}` is executed as {arrival.kind}, {row.state.value}, attempt {row.attempt}"
    if row.attempt_until is None or arrival.now >= row.attempt_until:
        yield f"`{row.id}` is executed after its time"
    last = [entry for entry in sight.entries if "attempt" in entry.data]
    if last and row.execute_by is not None and last[-1].at >= row.execute_by:
        yield f"`{row.id}` was claimed after its time"
    if row.undoes is None:
        yield from lacking(view, sight)


def intended_before_it_left(view: View, arrival: Arrival) -> Iterator[str]:
    """I6: the intent of this very attempt, over this very digest, is durable."""
    row = arrival.sight.row
    for entry in arrival.sight.entries:
        about = entry.data.get("attempt"), entry.data.get("digest")
        if entry.tag in _INTENTS and about == (row.attempt, row.digest):
            return
    yield f"`{row.id}` is executed without a committed intent"


def sent_as_stored(view: View, arrival: Arrival) -> Iterator[str]:
    """I2: what arrives is the stored artifact, whose digest was decided on."""
    row = arrival.sight.row
    if arrival.request != arrival.sight.request:
        yield f"what is sent for `{row.id}` is not what is stored"
    if digest_of(arrival.sight.content.artifact) != row.digest:
        yield f"what is sent for `{row.id}` is not what its digest says"


def never_sent_in_doubt(view: View, arrival: Arrival) -> Iterator[str]:
    """I9: it is sent again only once the provider has said that nothing was done."""
    if arrival.words and arrival.words[-1] is not Word.NO:
        yield f"`{arrival.key}` is sent again, and its outcome is `{arrival.words[-1].value}`"


def fresh_at_the_door(view: View, arrival: Arrival) -> Iterator[str]:
    """I11: what waited was claimed on the facts that the provider told last before the claim.

    Nobody had looked at what runs alone: there it is enough that no fact of now speaks against it.
    """
    sight = arrival.sight
    claims = [entry for entry in sight.entries if entry.tag == Tag.EXECUTION_INTENDED.value]
    told = view.provider.told.get((arrival.kind, str(arrival.request.get("customer"))), [])
    before = [(at, facts) for at, facts in told if claims and at <= claims[-1].at]
    if before and sight.row.attempt == claims[-1].data["attempt"]:
        # Of what was told in the same moment any may be what was compared.
        last = [facts for at, facts in before if at == before[-1][0]]
        alone = sight.row.control in (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY)
        spoken = [fact for facts in last for fact in facts if fact.against is not None]
        if sight.content.facts not in last and not (alone and not spoken):
            yield f"`{arrival.key}` runs on facts that are no longer so"


def judged_by_the_sum(view: View, arrival: Arrival) -> Iterator[str]:
    """I1: what was really given to the customer lately counts beside the amount."""
    row, known = arrival.sight.row, view.sights.get(arrival.key)
    claimed_now = known is None or known.row.attempt != row.attempt
    if row.kind not in PAYING or row.currency != "USD" or not claimed_now:
        return
    since = arrival.now - SUM_MS
    rows = {sight.row.id: sight.row for sight in view.sights.values()}
    lately = [
        rows[effect.key]
        for effect in view.provider.effects
        if effect.key != row.id and effect.key in rows and effect.lands_at > since
    ]
    total = (row.value_minor or 0) + sum(
        one.value_minor or 0
        for one in lately
        if (one.desk, one.subject, one.currency) == (row.desk, row.subject, row.currency)
        and one.kind in PAYING
    )
    least, _ = needed(row.kind, total)
    if len(approvals(view, arrival.sight)) < least:
        yield f"`{row.id}` makes {total} for its customer, and too few people approved that"


def not_stopped(view: View, arrival: Arrival) -> Iterator[str]:
    """I13: nothing is claimed between the pulling of a stop that covers it and its lifting."""
    row = arrival.sight.row
    claims = [entry.at for entry in arrival.sight.entries if "attempt" in entry.data]
    for halt in arrival.halts:
        over = halt.lifted_at is None or claims[-1] < halt.lifted_at
        if halt.desk == row.desk and covers(halt, row) and halt.pulled_at < claims[-1] and over:
            yield f"`{row.id}` was claimed while {halt.scope.value} `{halt.target}` was stopped"


# after every step


def shown_as_stored(view: View) -> Iterator[str]:
    """I2: the digest is the artifact's, the rendering its request's, the statement binds both."""
    for sight in view.changed:
        row, content = sight.row, sight.content
        if digest_of(content.artifact) != row.digest:
            yield f"the artifact of `{row.id}` is not what its digest says"
        if row.statement not in ("", statement_of(content, row.digest, row.policy, row.desk)):
            yield f"the statement of `{row.id}` is not that of its content"
        if row.statement and row.kind in PROMISES:
            shown = tuple(view.provider.preview(row.kind, sight.request))
            if content.lines != shown:
                yield f"what is shown of `{row.id}` is not what would be sent"


def what_happened_was_stored(view: View) -> Iterator[str]:
    """I2: what the provider did is what the artifact said."""
    for effect in view.provider.effects:
        sight = view.sights.get(effect.key)
        if sight is not None and effect.request != sight.request:
            yield f"what was sent for `{effect.key}` is not what was decided"


def effects_follow_actions(view: View) -> Iterator[str]:
    """I1: every effect has an action that may have had it, and every done action its effect."""
    keys = {effect.key for effect in view.provider.effects}
    for key in keys:
        sight = view.sights.get(key)
        if sight is None:
            yield f"an effect for `{key}`, and no such action"
        elif sight.row.state not in _DONE:
            yield f"`{key}` is {sight.row.state.value}, and its effect happened"
    for sight in view.changed:
        row = sight.row
        if row.kind in PROMISES and row.state is State.SUCCEEDED and row.id not in keys:
            yield f"`{row.id}` is said to be done, and never happened"


def no_effect_twice(view: View) -> Iterator[str]:
    """I3: one action has one effect, and one payment is taken back once."""
    keys: set[str] = set()
    taken_back: set[object] = set()
    for effect in view.provider.effects:
        if effect.key in keys:
            yield f"two effects under the key `{effect.key}`"
        keys.add(effect.key)
        payment = effect.request.get("payment")
        if payment is not None and payment in taken_back:
            yield f"the payment `{payment}` was taken back twice"
        taken_back.add(payment)


def outcomes_are_known(view: View) -> Iterator[str]:
    """I9: done and failed are said only when somebody said so; silence is neither."""
    for sight in view.changed:
        row = sight.row
        words = view.provider.words.get(row.id, [])
        running = row.state in (State.EXECUTING, State.UNKNOWN)
        if running and (not row.attempt or row.fence is None):
            yield f"`{row.id}` is {row.state.value} without an attempt"
        if any(entry.tag == Tag.EXECUTION_CONFIRMED.value for entry in sight.entries):
            yield from _unsaid(view, sight)
        elif row.kind not in PROMISES:
            if row.state in (State.SUCCEEDED, State.FAILED) and row.id not in view.reported:
                yield f"`{row.id}` is {row.state.value}, and its agent said nothing"
        elif row.state is State.SUCCEEDED and Word.DONE not in words:
            yield f"`{row.id}` is said to be done, and nobody said so"
        elif row.state is State.FAILED and words and words[-1] is not Word.NO:
            yield f"`{row.id}` is said to have failed, and the last word is `{words[-1].value}`"


def _unsaid(view: View, sight: Sight) -> Iterator[str]:
    """What people said became of it: two of them for money, and none who answers for it."""
    row = sight.row
    done = row.state is State.SUCCEEDED
    said = {
        identity
        for identity, id, what in view.testified
        if (id, what) == (row.id, done) and identity not in own_of(view, row)
    }
    least = 1 if row.value_minor is None and row.kind not in PAYING else 2
    if len(said) < least:
        yield f"`{row.id}` is {row.state.value}, and {len(said)} of {least} people said so"


# at the end


def people_are_told(view: View, told: set[str | None]) -> Iterator[str]:
    """I9: time has done all it can: only what nobody can know is open, and a person looks at it."""
    for row in view.rows:
        stuck = row.state is State.UNKNOWN and (row.kind in STUCK or row.kind not in PROMISES)
        if row.state not in FINAL and not stuck:
            yield f"`{row.id}` ({row.kind}) stays {row.state.value}"
        if stuck and row.id not in told:
            yield f"`{row.id}` stays unknown, and nobody was told"
    for effect in view.provider.effects:
        row = view.sights[effect.key].row
        if row.state is not State.SUCCEEDED and row.kind in PROMISES and row.kind not in STUCK:
            yield f"`{effect.key}` happened, and is {row.state.value} in the end"
