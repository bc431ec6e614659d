"""Replay recorded conversations straight against the shops, with no gateway between.

`python -m benchmarks.tau.direct [--traffic FOLDER] [--json]` says whether the rig stands on firm
ground: the shops must accept and refuse today what they accepted and refused when the traffic was
recorded, and the money worked out before each call is compared with the labels. Exit status 0 when
acceptance agrees everywhere, 1 when not, 2 for traffic that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.tau.client import Backend, BackendRefused, start_backend
from benchmarks.tau.outcome import Fate, Outcome
from benchmarks.tau.score import (
    Labels,
    WriteLabel,
    load_labels,
    score_set,
    tally,
)
from benchmarks.tau.traffic import Conversation, TrafficInvalid, pick_traffic
from benchmarks.tau.venv import VenvFailed

__all__ = ["Compared", "Replayed", "compare", "main", "replay"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What the shop did with one recorded call, and what it was worth by the shop's records."""

    call_id: str
    tool: str
    accepted: bool
    said: object
    value_cents: int | None
    customer: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """Where a replay differs from the recording or from the labels, case by case."""

    acceptance: tuple[str, ...]
    """Calls that the shop treats otherwise than recorded, or otherwise than labelled."""
    answers: tuple[str, ...]
    """Accepted calls with an answer that is not the recorded one."""
    values: tuple[str, ...]
    """Accepted writes with a value that is not the labelled one."""
    writes: int
    valued: Mapping[str, int]
    """Accepted writes with the labelled value, by tool."""


def replay(backend: Backend, conversation: Conversation) -> Iterator[Replayed]:
    """Make every call of a conversation in order, on a fresh database."""
    session = backend.open(conversation.domain)
    for call in conversation.calls:
        value = backend.value_cents(session, call.tool, call.arguments)
        customer = backend.customer_of(session, call.arguments)
        said: object
        try:
            said, accepted = backend.call(session, call.tool, call.arguments), True
        except BackendRefused as refusal:
            said, accepted = str(refusal), False
        yield Replayed(
            call_id=call.id,
            tool=call.tool,
            accepted=accepted,
            said=said,
            value_cents=value,
            customer=customer,
        )
    backend.close(session)


def compare(
    conversations: Sequence[Conversation],
    replayed: Mapping[str, Replayed],
    labels: Mapping[str, Labels],
) -> Compared:
    """Hold a replay against recording and labels."""
    acceptance: list[str] = []
    answers: list[str] = []
    values: list[str] = []
    writes = 0
    valued: Counter[str] = Counter()
    for conversation in conversations:
        for call in conversation.calls:
            seen = replayed[call.id]
            label = labels[conversation.id].writes.get(call.id)
            acceptance.extend(_acceptance(seen, call.was_refused, label))
            if seen.accepted and not call.was_refused and call.answer is not None:
                answers.extend(_answer(seen, call.answer))
            if label is None:
                continue
            writes += 1
            if label.backend_accepts and seen.value_cents == label.to_customer_cents:
                valued[call.tool] += 1
            elif label.backend_accepts:
                cents = f"{seen.value_cents} cents, labelled {label.to_customer_cents}"
                values.append(f"{call.id} {call.tool}: {cents}")
    return Compared(
        acceptance=tuple(acceptance),
        answers=tuple(answers),
        values=tuple(values),
        writes=writes,
        valued=dict(sorted(valued.items())),
    )


def _acceptance(seen: Replayed, was_refused: bool, label: WriteLabel | None) -> Iterator[str]:
    now = "accepted" if seen.accepted else f"refused ({seen.said})"
    if seen.accepted is was_refused:
        yield f"{seen.call_id} {seen.tool}: {now}, recorded otherwise"
    if label is not None and seen.accepted is not label.backend_accepts:
        yield f"{seen.call_id} {seen.tool}: {now}, labelled otherwise"


def _answer(seen: Replayed, recorded: str) -> Iterator[str]:
    said = seen.said if isinstance(seen.said, str) else json.dumps(seen.said)
    if _plain(said) != _plain(recorded):
        yield f"{seen.call_id} {seen.tool}"


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _options(arguments)
    try:
        traffic = pick_traffic(options.traffic)
        labels = load_labels(traffic.folder)
        tallies = tally(traffic.conversations, labels)
        print(traffic.origin, file=sys.stderr)
        with start_backend() as backend:
            replayed = {
                one.call_id: one
                for conversation in traffic.conversations
                for one in replay(backend, conversation)
            }
            pristine = all(backend.is_pristine(name) for name in ("retail", "airline"))
    except (TrafficInvalid, VenvFailed) as error:
        print(str(error), file=sys.stderr)
        return 2
    compared = compare(traffic.conversations, replayed, labels)
    ran = {call_id: Outcome(fate=Fate.RAN_ALONE) for call_id in replayed}
    sets = {
        name: {
            "tally": asdict(counted),
            "allow": asdict(
                score_set([c for c in traffic.conversations if c.set == name], labels, ran)
            ),
        }
        for name, counted in tallies.items()
    }
    report = {"sets": sets, "compared": asdict(compared), "pristine_after": pristine}
    print(json.dumps(report) if options.json else _text(report))
    return 0 if pristine and not compared.acceptance else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tau.direct", description=__doc__)
    parser.add_argument("--traffic", type=Path, help="folder of trajectories.jsonl, labels.jsonl")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a text")
    return parser.parse_args(arguments)


def _text(report: Mapping[str, Any]) -> str:
    lines = [
        f"{name}: " + ", ".join(f"{value} {key}" for key, value in found["tally"].items())
        for name, found in report["sets"].items()
    ]
    compared = report["compared"]
    lines.append(f"calls accepted or refused otherwise: {len(compared['acceptance'])}")
    lines.extend(f"  {one}" for one in compared["acceptance"])
    lines.append(f"answers other than recorded: {len(compared['answers'])}")
    agreed = sum(compared["valued"].values())
    lines.append(
        f"accepted writes valued as labelled: {agreed}, otherwise {len(compared['values'])}"
    )
    lines.extend(f"  {one}" for one in compared["values"])
    lines.append(f"databases unchanged afterwards: {'yes' if report['pristine_after'] else 'NO'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
