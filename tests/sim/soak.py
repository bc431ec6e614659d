"""The long run of the simulator: `python -m tests.sim.soak [--seeds N] [--jobs N] [--seed S]`.

Without options it lives 10,000 lives, as many at once as there are cores, and prints the seed of
each that breaks an invariant. With `--seed` it lives one life and prints every step of it: twice
the same seed is twice the same life.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

import msgspec

from tests.sim.life import STEPS, Outcome, lived

__all__ = ["Ended", "cores", "lived_many", "main"]

SEEDS: Final = 10_000
_EVERY: Final = 500
_AT_ONCE: Final = 5
_SHOWN_MAX: Final = 20


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a seed: its outcome, or what broke."""

    seed: int
    outcome: Outcome | None = None
    error: str = ""


def cores() -> int:
    """How many lives can be lived at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lived_many(seeds: Iterable[int], *, jobs: int, steps: int = STEPS) -> Iterator[Ended]:
    """Live many lives, `jobs` at once, each in a process of its own kind; in the order of seeds."""
    live = partial(_ended, steps=steps)
    if jobs <= 1:
        yield from map(live, seeds)
        return
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh) as pool:
        yield from pool.map(live, seeds, chunksize=_AT_ONCE)


def _ended(seed: int, *, steps: int) -> Ended:
    try:
        return Ended(seed=seed, outcome=lived(seed, steps=steps))
    except Exception as error:
        return Ended(seed=seed, error=repr(error))


def main(words: Sequence[str] | None = None) -> int:
    """Run; exit status 1 when any seed broke."""
    options = _options(words)
    if options.seed is not None:
        return _one(options.seed, options)
    began, broken, states = time.monotonic(), [], Counter[str]()
    effects = killed = 0
    seeds = range(options.start, options.start + options.seeds)
    for done, ended in enumerate(lived_many(seeds, jobs=options.jobs, steps=options.steps), 1):
        if ended.outcome is None:
            broken.append(ended.seed)
            if len(broken) <= _SHOWN_MAX:
                print(
                    f"seed {ended.seed}: {ended.error}; replay with --seed {ended.seed}", flush=True
                )
        else:
            states.update(dict(ended.outcome.states))
            effects += ended.outcome.effects
            killed += ended.outcome.killed
        if done % _EVERY == 0:
            so_far = f"{done} lives, {len(broken)} broken, {time.monotonic() - began:.0f} s"
            print(so_far, flush=True)
    print(f"{options.seeds} lives: {effects} effects, {killed} deaths, {dict(states)}")
    print(f"broken: {broken or 'none'}")
    return 1 if broken else 0


def _one(seed: int, options: argparse.Namespace) -> int:
    try:
        outcome: Outcome = lived(seed, steps=options.steps)
    except Exception as error:
        print("\n".join(getattr(error, "__notes__", [])))
        print(f"{type(error).__name__}: {error}")
        return 1
    print("\n".join(outcome.trace))
    print(f"seed {seed}: {outcome.size} entries, root {outcome.root}, {dict(outcome.states)}")
    return 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many lives")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="live this one, and show every step")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of one life")
    parser.add_argument("--jobs", type=int, default=cores(), help="how many at once")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
