"""Recorded conversations, read from `trajectories.jsonl`. The labels are read by score.py alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.tau.venv import ROOT

__all__ = [
    "RECORDED",
    "SAMPLE",
    "Call",
    "Conversation",
    "Message",
    "Traffic",
    "TrafficInvalid",
    "json_lines",
    "load_traffic",
    "pick_traffic",
]

RECORDED: Final = ROOT.parent / "shared" / "traffic"
"""Where the recorded traffic is looked for when no place is named."""
SAMPLE: Final = Path(__file__).with_name("sample")
"""Six conversations of our own invention, in the same format."""

REFUSAL: Final = "error"
"""How an answer begins, in any case, with which the backend refused a call."""


class TrafficInvalid(ValueError):
    """A file of traffic or labels is missing or not in its format; names the file and line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn: `user`, `assistant` or `tool`. `text` is None for a turn that only calls tools."""

    role: str
    text: str | None
    call_ids: tuple[str, ...] = ()
    """Calls that this assistant turn makes, or the one call that this tool turn answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One tool call as the agent made it, with the answer it got then."""

    id: str
    tool: str
    arguments: Mapping[str, Any]
    turn: int
    """Index in `Conversation.messages` of the turn that made it."""
    answer: str | None
    """What the backend said then, None when the recording ends before."""

    @property
    def was_refused(self) -> bool:
        """Whether the backend refused it when it was recorded."""
        return self.answer is not None and self.answer.lower().startswith(REFUSAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """One recorded conversation."""

    id: str
    set: str
    domain: str
    task: int
    trial: int
    customer: str | None
    """Whom the agent authenticated."""
    messages: tuple[Message, ...]
    calls: tuple[Call, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """Conversations and where they came from."""

    folder: Path
    conversations: tuple[Conversation, ...]

    @property
    def is_sample(self) -> bool:
        """Whether this is the sample of our own making and not real traffic."""
        return self.folder == SAMPLE

    @property
    def origin(self) -> str:
        """A sentence that says what was replayed; every program prints it."""
        if self.is_sample:
            return (
                "this is the small sample of our own making in benchmarks/tau/sample, "
                "not recorded traffic: its numbers measure nothing"
            )
        return f"recorded traffic from {self.folder}"


def pick_traffic(named: Path | None) -> Traffic:
    """The traffic in the named folder; without a name the recorded one, or else the sample.

    A folder that was named must be there. Raises TrafficInvalid.
    """
    if named is not None:
        return load_traffic(named)
    there = (RECORDED / "trajectories.jsonl").is_file()
    return load_traffic(RECORDED if there else SAMPLE)


def load_traffic(folder: Path) -> Traffic:
    """Read `trajectories.jsonl` of a folder. Raises TrafficInvalid."""
    folder = folder.resolve()
    read = tuple(
        _conversation(where, line) for where, line in json_lines(folder / "trajectories.jsonl")
    )
    _once("conversation", [one.id for one in read], folder)
    _once("call", [call.id for one in read for call in one.calls], folder)
    return Traffic(folder=folder, conversations=read)


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of a file as an object, with its place in words. Raises TrafficInvalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrafficInvalid(f"cannot read `{path}`: {error}") from error
    # WHY NOT: `splitlines` also splits at U+2028, which JSON allows inside a text.
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        where = f"`{path}`, line {number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise TrafficInvalid(f"{where}: not JSON: {error}") from error
        if not isinstance(value, dict):
            raise TrafficInvalid(f"{where}: not an object")
        yield where, value


def _once(what: str, ids: list[str], folder: Path) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise TrafficInvalid(f"`{folder}`: {what} `{one}` is there twice")
        seen.add(one)


def _conversation(where: str, line: dict[str, Any]) -> Conversation:
    try:
        turns = line["messages"]
        answers = {one["tool_call_id"]: one["content"] for one in turns if one["role"] == "tool"}
        return Conversation(
            id=line["id"],
            set=line["set"],
            domain=line["domain"],
            task=line["task"],
            trial=line["trial"],
            customer=line["customer"],
            messages=tuple(_message(turn) for turn in turns),
            calls=tuple(
                Call(
                    id=call["id"],
                    tool=call["name"],
                    arguments=call["arguments"],
                    turn=index,
                    answer=answers.get(call["id"]),
                )
                for index, turn in enumerate(turns)
                for call in turn.get("tool_calls") or ()
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise TrafficInvalid(f"{where}: not a conversation: {error!r}") from error


def _message(turn: dict[str, Any]) -> Message:
    made = tuple(call["id"] for call in turn.get("tool_calls") or ())
    answered = (turn["tool_call_id"],) if turn["role"] == "tool" else ()
    return Message(role=turn["role"], text=turn["content"], call_ids=made or answered)
