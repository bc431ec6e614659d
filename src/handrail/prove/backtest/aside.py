"""Aside: a second process asks the checks of actions that are not replayed yet.

What conditions say before the sums are known does not depend on what came before, so it can be
asked ahead, on another processor. The second process reads the traffic itself: what goes to it is
where a piece stands, and what comes back is what its checks say.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

import msgspec

from handrail.core.policy import Policy
from handrail.engine.base.context import Rulebook
from handrail.errors import HandrailError
from handrail.policy.checks import NOTHING, Checked
from handrail.prove.backtest.questions import Questions
from handrail.prove.backtest.second import Hear, Second, Tell, serve
from handrail.prove.backtest.traffic import read_lines

__all__ = ["Aside", "Piece"]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the traffic: where it begins, how long it is, the number of its first line."""

    start: int
    size: int
    first: int


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    """What the second process is told first."""

    policy: Policy
    traffic: str


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks of a piece say: per action a place in `table`, counted from 1, or 0."""

    places: list[int]
    table: list[Checked]


class Aside:
    """Has pieces asked by a second process. Answers come in the order of the pieces."""

    def __init__(self, second: Second, policy: Policy, traffic: Path) -> None:
        self._second = second
        self.waiting: deque[Piece] = deque()
        job = _Job(policy=policy, traffic=str(traffic.absolute()))
        second.tell(msgspec.msgpack.encode(job))

    @property
    def helps(self) -> bool:
        """Whether anybody is there to ask."""
        return self._second.helps

    def ask(self, piece: Piece) -> None:
        """Have the checks of a piece asked."""
        self.waiting.append(piece)
        self._second.tell(msgspec.msgpack.encode(piece))

    def answer(self, *, wait: bool) -> list[Checked | None] | None:
        """What was said of the first piece that waits; None when nothing is there yet, or ever."""
        frame = self._second.hear(wait=wait)
        if frame is None:
            return None
        self.waiting.popleft()
        said = msgspec.msgpack.decode(frame, type=_Said)
        # There is one object that says nothing.
        table = [None, *(NOTHING if one == NOTHING else one for one in said.table)]
        return [table[place] for place in said.places]


def _say(questions: Questions, chunk: bytes, first: int) -> _Said:
    """What the checks of a piece say; nothing at all of one that cannot be read."""
    try:
        answers = questions.early(read_lines(chunk, first))
    except HandrailError:
        return _Said(places=[], table=[])
    known: dict[Checked | None, int] = {None: 0}
    places = [known.setdefault(answer, len(known)) for answer in answers]
    return _Said(places=places, table=[one for one in known if one is not None])


def _work(hear: Hear, tell: Tell) -> None:
    frame = hear()
    if frame is None:
        return
    job = msgspec.msgpack.decode(frame, type=_Job)
    questions = Questions(Rulebook(job.policy))
    with Path(job.traffic).open("rb") as traffic:
        while (frame := hear()) is not None:
            piece = msgspec.msgpack.decode(frame, type=Piece)
            traffic.seek(piece.start)
            said = _say(questions, traffic.read(piece.size), piece.first)
            tell(msgspec.msgpack.encode(said))


if __name__ == "__main__":
    serve(_work)
