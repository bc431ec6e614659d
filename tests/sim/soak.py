"""The long run of the simulator: `python -m tests.sim.soak [--seeds N] [--seed S]`.

Without options it lives 10,000 lives and prints the seed of each that breaks an invariant. With
`--seed` it lives one life, prints every step of it, and twice the same seed is twice the same life.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from tests.sim.life import STEPS, Outcome, lived

__all__ = ["main"]

SEEDS: Final = 10_000
_EVERY: Final = 500
_SHOWN_MAX: Final = 20


def main(words: Sequence[str] | None = None) -> int:
    """Run; exit status 1 when any seed broke."""
    options = _options(words)
    if options.seed is not None:
        return _one(options.seed, options)
    began, broken, states = time.monotonic(), [], Counter[str]()
    effects = killed = 0
    for seed in range(options.start, options.start + options.seeds):
        try:
            outcome = lived(seed, steps=options.steps)
        except Exception as error:
            broken.append(seed)
            if len(broken) <= _SHOWN_MAX:
                print(f"seed {seed}: {error!r}; replay with --seed {seed}", flush=True)
            continue
        states.update(dict(outcome.states))
        effects += outcome.effects
        killed += outcome.killed
        if (seed + 1 - options.start) % _EVERY == 0:
            done = seed + 1 - options.start
            print(
                f"{done} lives, {len(broken)} broken, {time.monotonic() - began:.0f} s", flush=True
            )
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
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
