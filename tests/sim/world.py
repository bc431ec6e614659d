"""The simulated world: its time, and a provider that keeps its promises and no more than those."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Final

import msgspec

from handrail.connectors.protocol import (
    Capability,
    Found,
    Looked,
    NotDone,
    Prepared,
    Promise,
    Receipt,
    Reversal,
)
from handrail.core.action import Params
from handrail.core.artifact import Fact, Line
from handrail.core.money import Money
from handrail.errors import InvalidInput

__all__ = ["PROMISES", "SETTLED_MS", "Effect", "Fault", "Killed", "Provider", "Time", "Word"]

SETTLED_MS: Final = 60_000
"""An effect lands at most so long after the call that asked for it."""
KEY_TTL_MS: Final = 180_000
"""How long the provider remembers a key. After that it is a new one, and asks for a new effect."""

PROMISES: Final = {
    "note.add": Promise.KEYED,
    "mail.send": Promise.LOOKUP,
    "reply.send": Promise.BLIND,
    "legal.answer": Promise.LOOKUP,
    "data.wipe": Promise.BLIND,
    "pay.keyed": Promise.KEYED,
    "pay.lookup": Promise.LOOKUP,
    "pay.blind": Promise.BLIND,
    "pay.back": Promise.KEYED,
}


class Killed(BaseException):
    """The process is gone: nothing of it catches this."""


class Fault(Enum):
    """What goes wrong with one call."""

    NONE = "none"
    SAYS_NO = "says no"
    LOST_BEFORE = "no answer, not done"
    LOST_AFTER = "no answer, done"
    LATE = "no answer, done later"
    SLOW = "slow"
    GARBLED = "an answer that makes no sense, done"
    KILL_BEFORE = "killed before the effect"
    KILL_AFTER = "killed after the effect"


class Word(Enum):
    """What the provider said last about a key. NOTHING yet: it was asked, and has not answered."""

    NOTHING = "nothing"
    DONE = "done"
    NO = "not done"


_WRITE_FAULTS: Final = (
    (Fault.NONE, 50),
    *((fault, 6) for fault in Fault if fault is not Fault.NONE),
)


class Effect(msgspec.Struct, kw_only=True):
    """What really happened: when it was asked for, and when it came about (None: not yet)."""

    key: str
    kind: str
    request: dict[str, object]
    asked_at: int
    lands_at: int
    landed: bool = False
    ref: str

    @property
    def amount(self) -> int:
        """Minor units, 0 for what moves no money."""
        found = self.request.get("minor", 0)
        assert isinstance(found, int)
        return found


class Time:
    """The clock of a simulation, milliseconds UTC. It only ever goes forward."""

    def __init__(self, now: int) -> None:
        self.start = now
        self.now = now
        self.passing: Callable[[int], None] = lambda now: None

    def pass_by(self, span_ms: int) -> None:
        """Time passes; what was to land meanwhile lands at its own time."""
        assert span_ms >= 0
        self.now += span_ms
        self.passing(self.now)


Asked = Callable[[str, str, dict[str, object]], None]


class Provider:
    """One system of record with kinds under all three promises. It outlives every process.

    `moment` is called wherever a process could be killed; `asked` when a request arrives, before
    anything else, with its key and bytes; `meanwhile` during a slow answer, while others act.
    """

    name = "desk"
    version = "1"

    def __init__(self, time: Time, chance: random.Random) -> None:
        self.effects: list[Effect] = []
        self.words: dict[str, list[Word]] = {}
        self.told: dict[tuple[str, str], list[tuple[int, tuple[Fact, ...]]]] = {}
        self.faulty = True
        self.moment: Callable[[], None] = lambda: None
        self.asked: Asked = lambda kind, key, request: None
        self.meanwhile: Callable[[], None] = lambda: None
        self.kill: Callable[[], None] = lambda: None
        self.note: Callable[[str], None] = lambda line: None
        self._time = time
        self._chance = chance
        self._depth = 0
        time.passing = self.land

    def land(self, now: int) -> None:
        """What was accepted comes about when its time has come."""
        for effect in self.effects:
            effect.landed = effect.landed or effect.lands_at <= now

    def kinds(self) -> Mapping[str, Capability]:
        """What it serves, and what it promises for each."""
        return {
            kind: Capability(
                kind=kind,
                promise=promise,
                ttl_ms=KEY_TTL_MS if promise is Promise.KEYED else 0,
                settled_after_ms=SETTLED_MS,
                undoable=kind.startswith("pay."),
            )
            for kind, promise in PROMISES.items()
        }

    def prepare(self, kind: str, params: Params, *, now: int) -> Prepared:
        """Read one account; sometimes a fact is missing, and sometimes nobody answers."""
        self.moment()
        if kind == "pay.back":
            return self._prepared_back(str(params["payment"]))
        customer = str(params["customer"])
        if customer not in ("c-1", "c-2", "c-3"):
            raise InvalidInput("subject_unknown", f"there is no customer `{customer}`")
        dice = self._chance.random() if self.faulty else 1.0
        if dice < 0.03:
            raise ConnectionError("the line is dead")
        amount = params.get("amount")
        value = amount if isinstance(amount, Money) else None
        request: dict[str, object] = {"customer": customer, "kind": kind}
        if value is not None:
            request |= {"minor": value.minor, "currency": value.currency}
        else:
            request["body"] = str(params["body"])
        account = None if dice < 0.08 else "active"
        against = "the account is closed" if 0.08 <= dice < 0.11 else None
        facts = (Fact(name="account", value=account, source="provider", against=against),)
        self.told.setdefault((kind, customer), []).append((self._time.now, facts))
        return Prepared(customer=customer, request=request, value=value, facts=facts)

    def _prepared_back(self, payment: str) -> Prepared:
        found = next((one for one in self.effects if one.ref == payment), None)
        if found is None:
            raise InvalidInput("subject_unknown", f"there is no payment `{payment}`")
        request: dict[str, object] = {"payment": payment, "customer": found.request["customer"]}
        return Prepared(customer=str(found.request["customer"]), request=request)

    def preview(self, kind: str, request: Mapping[str, object]) -> Sequence[Line]:
        """Every field as it is."""
        return [Line(label=name, text=str(request[name])) for name in sorted(request)]

    def execute(self, kind: str, request: Mapping[str, object], key: str, *, now: int) -> Receipt:
        """Do it, or fail in one of many ways."""
        self.asked(kind, key, dict(request))
        self._say(key, Word.NOTHING)
        self.moment()
        fault = self._drawn()
        self.note(f"   {kind} {key[-6:]}: {fault.value}")
        if fault is Fault.SAYS_NO and self._known(kind, key) is None:
            self._say(key, Word.NO)
            raise NotDone("the provider says no")
        if fault is Fault.KILL_BEFORE:
            self.kill()
        if fault is Fault.LOST_BEFORE:
            raise TimeoutError("no answer")
        if fault is Fault.SLOW:
            self._dawdle()
        late = self._chance.randint(1, SETTLED_MS) if fault is Fault.LATE else 0
        effect = self._done(kind, request, key, asked_at=now, late_ms=late)
        if fault is Fault.KILL_AFTER:
            self.kill()
        if fault in (Fault.LOST_AFTER, Fault.LATE):
            raise TimeoutError("no answer")
        self.moment()
        if fault is Fault.GARBLED:
            return Receipt(provider_ref="", result={"rate": 0.5})
        self._say(key, Word.DONE)
        return _receipt(effect)

    def lookup(self, kind: str, key: str) -> Found:
        """What can be seen now; what has been accepted and has not landed cannot be seen."""
        self.moment()
        assert PROMISES[kind] is not Promise.BLIND, "who promised nothing is not asked"
        dice = self._chance.random() if self.faulty else 1.0
        if dice < 0.1:
            raise TimeoutError("no answer")
        if dice < 0.2:
            return Found(looked=Looked.CANNOT_TELL)
        for effect in self.effects:
            if effect.key == key and effect.landed:
                self._say(key, Word.DONE)
                return Found(looked=Looked.DONE, receipt=_receipt(effect))
        self._say(key, Word.NO)
        return Found(looked=Looked.NOT_DONE)

    def undo(self, kind: str, request: Mapping[str, object], receipt: Receipt) -> Reversal:
        """A payment is taken back by its reference."""
        if receipt.provider_ref is None or not kind.startswith("pay.") or kind == "pay.back":
            raise InvalidInput("undo_unavailable", "there is nothing to take back")
        return Reversal(kind="pay.back", params={"payment": receipt.provider_ref})

    def _say(self, key: str, word: Word) -> None:
        self.words.setdefault(key, []).append(word)

    def _drawn(self) -> Fault:
        if not self.faulty:
            return Fault.NONE
        faults, weights = zip(*_WRITE_FAULTS, strict=True)
        fault: Fault = self._chance.choices(faults, weights)[0]
        # Of what happens during a slow answer nothing is slow itself: it would last too long.
        return Fault.NONE if self._depth and fault is Fault.SLOW else fault

    def _dawdle(self) -> None:
        """A slow answer: others act meanwhile, and think what they like about this attempt."""
        self._depth += 1
        try:
            for _ in range(2):
                self._time.pass_by(self._chance.randint(1, SETTLED_MS // 2 - 1))
                self.meanwhile()
        finally:
            self._depth -= 1

    def _known(self, kind: str, key: str) -> Effect | None:
        if PROMISES[kind] is not Promise.KEYED:
            return None
        horizon = self._time.now - KEY_TTL_MS
        same = (one for one in self.effects if one.key == key and one.asked_at > horizon)
        return next(same, None)

    def _done(
        self, kind: str, request: Mapping[str, object], key: str, *, asked_at: int, late_ms: int
    ) -> Effect:
        known = self._known(kind, key)
        if known is not None:
            return known
        effect = Effect(
            key=key,
            kind=kind,
            request=dict(request),
            asked_at=asked_at,
            lands_at=self._time.now + late_ms,
            landed=not late_ms,
            ref=f"ref-{len(self.effects) + 1}",
        )
        self.effects.append(effect)
        return effect


def _receipt(effect: Effect) -> Receipt:
    return Receipt(provider_ref=effect.ref, result={"ref": effect.ref})
