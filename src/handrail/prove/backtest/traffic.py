"""Recorded traffic: one action a line, as newline-delimited JSON, in the order of time.

A line says what was known about an action when it was proposed, and what became of it. Nothing is
skipped: a line that cannot be read is refused with its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Annotated, Final, Literal, NoReturn

import msgspec

from handrail.core.canonical import quoted
from handrail.core.money import MINOR_MAX, Money
from handrail.errors import InvalidInput

__all__ = ["VERSION", "Findings", "Heard", "Recorded", "chunks_of", "encode_line", "read_lines"]

VERSION: Final = 1
CHUNK_BYTES: Final = 64 * 1024
"""What is read at once: as much as stays in the caches of a processor once it is decoded."""
LINE_BYTES_MAX: Final = 16 * 1024 * 1024

_Time = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Minor = Annotated[int, msgspec.Meta(ge=0, le=MINOR_MAX)]
_Grade = Annotated[int, msgspec.Meta(ge=0, le=3)]


class Findings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """What was found out about an action beyond its kind and amount; absent when there is nothing.

    `outside`: it touches a customer who is not part of the task. `missing` names facts that could
    not be read, `against` says what speaks against it, `hidden` where deceptive characters stand,
    `unresolved` what was not filled in. `claim` is the agent's own idea of the grade, `failure` an
    error met while preparing. `undo`: it reverses an executed action, `late` after the time for
    that. `stopped` is the reason code with which something other than the rules refused it then: a
    halt, or flood control.
    """

    outside: bool = False
    missing: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    claim: _Grade | None = None
    failure: str | None = None
    undo: bool = False
    late: bool = False
    stopped: str | None = None


class Heard(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """What came of asking people, and when. Only `approved` lets an action run."""

    at: _Time
    said: Literal["approved", "rejected", "expired", "withdrawn"]


class Recorded(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """One recorded action.

    `v` is the version of this form. `at` is when it was proposed, in milliseconds UTC. `lane` is
    None for what a person does outside any task, `customer` None when it touches nobody's account.
    `owner` answers for the agent. `instrument` is a keyed hash of what the money goes to. `params`
    and `facts` are only there for checks, as `triggers`: what was found in its texts, counted.
    `answers` is what people said, one for every time that it
    was put to them. `ended` says what became of it once it ran, `took_ms` how long after it had
    been let run that was known. `label` is what somebody found out later.
    """

    v: Literal[1]
    at: _Time
    kind: str
    lane: str | None
    agent: str
    id: str = ""
    owner: str = ""
    task: str = ""
    customer: str | None = None
    value_minor: _Minor | None = None
    currency: str | None = None
    instrument: str | None = None
    found: Findings | None = None
    params: dict[str, object] | None = None
    facts: dict[str, object] | None = None
    triggers: dict[str, int] | None = None
    answers: tuple[Heard, ...] = ()
    ended: Literal["done", "failed", "unknown"] = "done"
    took_ms: _Time = 0
    label: Literal["right", "wrong"] | None = None

    @property
    def value(self) -> Money | None:
        """The amount that bands and caps look at; InvalidInput for an unknown currency."""
        if self.value_minor is None or self.currency is None:
            return None
        return Money(minor=self.value_minor, currency=self.currency)


_decoder: Final = msgspec.json.Decoder(Recorded)


def encode_line(recorded: Recorded) -> bytes:
    """The line of a recorded action, with its end."""
    return msgspec.json.encode(recorded) + b"\n"


def chunks_of(file: IO[bytes], size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The file in pieces that end where a line does.

    Raises InvalidInput `traffic_malformed` for a line that is longer than `LINE_BYTES_MAX`.
    """
    rest = b""
    while data := file.read(size):
        end = data.rfind(b"\n") + 1
        if not end:
            rest += data
            if len(rest) > LINE_BYTES_MAX:
                raise InvalidInput("traffic_malformed", "a line is longer than 16 MiB")
            continue
        yield rest + data[:end]
        rest = data[end:]
    if rest:
        yield rest


def read_lines(chunk: bytes, first: int) -> list[Recorded]:
    """The actions of a piece of which `first` is the number of the first line.

    Raises InvalidInput `traffic_malformed` with the number of the line that is not one.
    """
    lines = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
    try:
        found = _decoder.decode_lines(chunk)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _blame(chunk, first)
    if len(found) != lines:
        _blame(chunk, first)
    return found


def _blame(chunk: bytes, first: int) -> NoReturn:
    """Say which line it is, and what is wrong with it."""
    for number, line in enumerate(chunk.split(b"\n"), first):
        try:
            _decoder.decode(line)
        except msgspec.MsgspecError as error:
            text = str(error)
            why = text[:1].lower() + text[1:]
            if not line.strip():
                why = "the line is empty"
            raise InvalidInput("traffic_malformed", f"line {number}: {why}") from None
        except UnicodeDecodeError:
            raise InvalidInput("traffic_malformed", f"line {number}: not UTF-8") from None
    raise InvalidInput("traffic_malformed", f"line {first}: {quoted(chunk[:60].decode())}")
