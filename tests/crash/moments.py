"""The labelled steps of an action, and how one of them is struck.

A moment is a step, and before or after it. Steps that are a commit are found by what the
transaction wrote: whatever the engine puts into one transaction is struck at the same commit.
Nothing in handrail knows of this: the store is wrapped by its protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from handrail.core.entry import Entry, Tag
from handrail.errors import Unavailable
from handrail.store.protocol import Store, Tx, Unit

__all__ = ["SIDES", "STEPS", "Moment", "Moments", "WatchedStore"]

T = TypeVar("T")

STEPS: Final = (
    "1 receive",
    "2 grade",
    "3 log intent",
    "4 enqueue",
    "5 show",
    "6 decide",
    "7 log decision",
    "8 reserve cap",
    "9 log dispatch",
    "10 send",
    "11 receive",
    "12 log result",
    "13 settle cap",
    "14 notify",
)
SIDES: Final = ("before", "after")

_COMMITS: Final = {
    Tag.ACTION_PROPOSED.value: "3 log intent",
    Tag.ACTION_APPROVED.value: "7 log decision",
    Tag.REVIEW_RECORDED.value: "7 log decision",
    Tag.ACTION_RELEASED.value: "7 log decision",
    Tag.EXECUTION_INTENDED.value: "9 log dispatch",
    Tag.EXECUTION_SUCCEEDED.value: "12 log result",
    Tag.EXECUTION_FOUND.value: "12 log result",
    Tag.EXECUTION_LOST.value: "log the loss",
    Tag.EXECUTION_ABSENT.value: "log the absence",
}
"""Which step the commit of an entry is. A held action is released because nobody recalled it."""
_WRITES: Final = {
    ("proposals", "add"): "4 enqueue",
    ("proposals", "add_review"): "6 decide",
    ("caps", "reserve"): "8 reserve cap",
    ("caps", "post"): "13 settle cap",
}
"""Which step a write within a transaction is."""


class Moment(NamedTuple):
    """Before or after a step. The second time that an action takes a step it is taken "again"."""

    step: str
    side: str


class Moments:
    """Called at every moment; strikes once, at the one it was given."""

    def __init__(self, target: Moment | None, strike: Callable[[], None]) -> None:
        self.passed: list[Moment] = []
        self._target = target
        self._strike = strike
        self._times: Counter[Moment] = Counter()

    def __call__(self, step: str, side: str) -> None:
        moment = Moment(step, side)
        self._times[moment] += 1
        times = self._times[moment]
        if times > 1:
            moment = Moment(step + " again" * (times - 1), side)
        self.passed.append(moment)
        if moment == self._target:
            self._strike()


class _Part:
    """One noun of a transaction, with `moment` called around the writes that are steps."""

    def __init__(self, inner: object, noun: str, moment: Callable[[str, str], None]) -> None:
        self._inner = inner
        self._noun = noun
        self._moment = moment

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        step = _WRITES.get((self._noun, name))
        if step is None:
            return found

        def written(*words: Any, **more: Any) -> Any:
            self._moment(step, "before")
            value = found(*words, **more)
            self._moment(step, "after")
            return value

        return written


class _Entries:
    """The log of a transaction; the steps of what is appended are noted in `steps`."""

    def __init__(self, inner: Any, steps: list[str]) -> None:
        self._inner = inner
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, entry: Entry, **more: Any) -> Any:
        found = [_COMMITS[entry.tag]] if entry.tag in _COMMITS else []
        if entry.tag == Tag.ACTION_PROPOSED.value and "attempt" in entry.data:
            found.append("9 log dispatch")
        self._steps.extend(found)
        return self._inner.append(entry, **more)


class WatchedStore:
    """A store whose transactions and commits are moments, and which can be gone.

    Gone before a commit, the transaction is lost; gone after it, only the answer is: the caller
    hears the same.
    """

    def __init__(self, inner: Store, moment: Callable[[str, str], None]) -> None:
        self.gone = False
        self.revocations = inner.revocations
        self.entering: str | None = None
        self._inner = inner
        self._moment = moment

    @property
    def fence(self) -> int:
        return self._inner.fence

    def holds(self, fence: int | None) -> bool:
        return self._inner.holds(fence)

    def is_gone(self, fence: int | None) -> bool:
        return self._inner.is_gone(fence)

    def listen(self, moved: Callable[[str], None]) -> None:
        self._inner.listen(moved)

    def submit(self, unit: Unit[T]) -> Any:
        raise AssertionError("the embedded desk writes with `write`")

    def write(self, unit: Unit[T]) -> T:
        if self.entering is not None:
            step, self.entering = self.entering, None
            self._moment(step, "after")
        self._there()
        steps: list[str] = []

        def watched(tx: Tx) -> T:
            steps.clear()
            whole: Any = tx
            parts = (tx.log, tx.proposals, tx.caps)
            whole.log = _Entries(tx.log, steps)
            whole.proposals = _Part(tx.proposals, "proposals", self._moment)
            whole.caps = _Part(tx.caps, "caps", self._moment)
            try:
                value = unit(tx)
                for step in steps:
                    self._moment(step, "before")
                self._there()
                return value
            finally:
                whole.log, whole.proposals, whole.caps = parts

        value = self._inner.write(watched)
        for step in steps:
            self._moment(step, "after")
        self._there()
        return value

    def read(self, look: Unit[T]) -> T:
        self._there()
        return self._inner.read(look)

    def keep_checkpoint(self, desk: str, note: str) -> None:
        self._inner.keep_checkpoint(desk, note)

    def kept_checkpoints(self, desk: str) -> Sequence[str]:
        return self._inner.kept_checkpoints(desk)

    def close(self) -> None:
        self._inner.close()

    def _there(self) -> None:
        if self.gone:
            raise Unavailable("store_failed", "the database is gone")
