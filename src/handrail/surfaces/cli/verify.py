"""`handrail verify`: try the operator's own policy on a scratch desk, control by control."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from handrail.bootstrap import open as open_desk
from handrail.connectors.protocol import Connector
from handrail.core.policy import Policy
from handrail.policy.loader import load
from handrail.prove.trial import Opener, Proof, Trial, try_policy, worst_of
from handrail.surfaces.embedded import Desk

__all__ = ["EXIT_BROKEN", "EXIT_NOT_SHOWN", "scratch_desks", "verify"]

EXIT_BROKEN: Final = 1
EXIT_NOT_SHOWN: Final = 3
_STYLES: Final = {
    Proof.HOLDS: "green",
    Proof.BROKEN: "bold red",
    Proof.NOT_SHOWN: "yellow",
    Proof.NOT_APPLICABLE: "dim",
}
_EXITS: Final = {Proof.BROKEN: EXIT_BROKEN, Proof.NOT_SHOWN: EXIT_NOT_SHOWN}


def verify(
    file: Annotated[str, typer.Argument(help="A policy file, or the name of a pack.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove each control that a policy declares, by what it lets through and what it stops.

    It is tried on scratch desks with stand-ins for the connectors: nothing outside is reached.
    Exit status 0 when everything was shown to hold, 1 when something is broken, 3 when something
    could not be shown.
    """
    policy = load(file)
    with scratch_desks() as opener:
        trials = list(try_policy(policy, opener))
    worst = worst_of(trials)
    if as_json:
        typer.echo(_as_json(policy, trials, worst))
    else:
        _print(policy, trials)
    raise typer.Exit(_EXITS.get(worst, 0))


@contextmanager
def scratch_desks() -> Iterator[Opener]:
    """Opens desks in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="handrail-verify-") as place:
        serial = count()

        def opener(
            policy: Policy, connectors: Mapping[str, Connector], clock: Callable[[], int]
        ) -> Desk:
            folder = Path(place) / str(next(serial))
            return open_desk(folder, policy=policy, connectors=connectors, clock=clock)

        yield opener


def _as_json(policy: Policy, trials: list[Trial], worst: Proof) -> str:
    record = {
        "policy": policy.name,
        "version": policy.version,
        "digest": policy.digest,
        "verdict": worst.value,
        "counts": _counts(trials),
        "trials": [
            {
                "control": one.control,
                "tried": one.tried,
                "positive": one.positive,
                "negative": one.negative,
                "verdict": one.proof.value,
            }
            for one in trials
        ],
    }
    return msgspec.json.format(msgspec.json.encode(record)).decode()


def _counts(trials: list[Trial]) -> dict[str, int]:
    found = Counter(one.proof for one in trials)
    return {proof.value: found[proof] for proof in Proof}


def _print(policy: Policy, trials: list[Trial]) -> None:
    table = Table(show_lines=True)
    for name in ("control", "tried", "let through", "stopped", "verdict"):
        table.add_column(name, overflow="fold")
    for one in trials:
        verdict = Text(one.proof.value, style=_STYLES[one.proof])
        table.add_row(*(Text(text) for text in _cells(one)), verdict)
    console = Console(highlight=False)
    console.print(table)
    counts = ", ".join(f"{n} {name}" for name, n in _counts(trials).items())
    console.print(Text(f"{policy.name} version {policy.version}: {counts}"))
    console.print(Text("tried with stand-ins for the connectors: what they do is not shown here"))


def _cells(one: Trial) -> tuple[str, str, str, str]:
    return one.control, one.tried, one.positive, one.negative
