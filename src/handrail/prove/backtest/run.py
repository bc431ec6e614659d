"""Run a policy over a file of recorded traffic, with a second process where that helps."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from handrail.core.policy import Policy
from handrail.engine.base.context import Rulebook
from handrail.errors import NotFound
from handrail.policy.checks import Checked
from handrail.prove.backtest.aside import Aside, Piece
from handrail.prove.backtest.parts import added, second_half_of
from handrail.prove.backtest.questions import Questions
from handrail.prove.backtest.replay import ANSWER_MS, Replay
from handrail.prove.backtest.second import Hear, Second, Tell, serve
from handrail.prove.backtest.tally import Forecast
from handrail.prove.backtest.traffic import Recorded, chunks_of, read_lines

__all__ = ["backtest"]

ASIDE_MAX: Final = 3
"""Pieces that a second process has to work on."""
AHEAD_MAX: Final = 64
"""Pieces that are read before they are replayed."""

_Read = tuple[Piece, list[Recorded]]
_Told = tuple[list[Recorded], list[Checked | None] | None]


class _Half(msgspec.Struct, frozen=True, kw_only=True):
    """What one process replays: of the whole traffic the `kinds`, or everything but them."""

    policy: Policy
    traffic: str
    answer_ms: int
    kinds: frozenset[str]
    theirs: bool


def backtest(policy: Policy, traffic: Path, *, answer_ms: int = ANSWER_MS) -> Forecast:
    """What `policy` would have done with the traffic in a file.

    Raises InvalidInput `traffic_malformed` with the line's number, and NotFound `traffic_not_found`
    for a file that cannot be read.
    """
    with _no_collection():
        if any(rule.checks or rule.cleared is not None for rule in policy.kinds.values()):
            return _asked_ahead(policy, traffic, answer_ms)
        sample = next(_read(traffic), None) if traffic.is_file() else None
        kinds = frozenset[str]() if sample is None else second_half_of(policy, sample[1])
        half = _Half(
            policy=policy, traffic=str(traffic), answer_ms=answer_ms, kinds=kinds, theirs=False
        )
        return _in_halves(half) if kinds else _counted(half)


def _in_halves(half: _Half) -> Forecast:
    """Both halves, at the same time if there is a second process."""
    other = msgspec.structs.replace(half, theirs=True)
    with Second(__name__, Path(half.traffic)) as second:
        second.tell(msgspec.msgpack.encode(other))
        own = _counted(half)
        frame = second.hear(wait=True)
    rest = _counted(other) if frame is None else msgspec.msgpack.decode(frame, type=Forecast)
    return added(own, rest)


def _counted(half: _Half) -> Forecast:
    """What comes of one half."""
    replay = Replay(Rulebook(half.policy), answer_ms=half.answer_ms)
    for _, records in _read(Path(half.traffic)):
        replay.feed(records, kinds=half.kinds, theirs=half.theirs)
    return replay.outcome()


def _asked_ahead(policy: Policy, traffic: Path, answer_ms: int) -> Forecast:
    """All of it, with the checks asked ahead if there is a second process."""
    rules = Rulebook(policy)
    replay = Replay(rules, answer_ms=answer_ms)
    with Second(Aside.__module__, traffic) as second:
        aside = Aside(second, policy, traffic)
        for records, answers in _told(_read(traffic), Questions(rules), aside):
            replay.feed(records, answers)
    return replay.outcome()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Nothing here refers to itself: looking for what does would take a fifth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(traffic: Path) -> Iterator[_Read]:
    first, start = 1, 0
    try:
        with traffic.open("rb") as file:
            for chunk in chunks_of(file):
                records = read_lines(chunk, first)
                yield Piece(start=start, size=len(chunk), first=first), records
                first += len(records)
                start += len(chunk)
    except OSError as error:
        raise NotFound("traffic_not_found", f"`{traffic}`: {error.strerror}") from error


def _told(pieces: Iterator[_Read], questions: Questions, aside: Aside) -> Iterator[_Told]:
    """Every piece, in order, with what its checks say; asked here while the other is at work."""
    ahead: deque[tuple[list[Recorded], list[Checked | None] | None]] = deque()
    more = True
    while more or ahead:
        free = len(aside.waiting) < ASIDE_MAX and aside.helps
        if ahead and not (free and more):
            records, here = ahead[0]
            answers = here or aside.answer(wait=not more or len(ahead) >= AHEAD_MAX)
            if answers is not None or not aside.helps:
                ahead.popleft()
                fits = answers is not None and len(answers) == len(records)
                yield records, answers if fits else None
                continue
        read = next(pieces, None)
        more = read is not None
        if read is None:
            continue
        piece, records = read
        if free:
            aside.ask(piece)
        ahead.append((records, None if free else questions.early(records)))


def _work(hear: Hear, tell: Tell) -> None:
    frame = hear()
    if frame is not None:
        with _no_collection():
            found = _counted(msgspec.msgpack.decode(frame, type=_Half))
        tell(msgspec.msgpack.encode(found))


if __name__ == "__main__":
    serve(_work)
