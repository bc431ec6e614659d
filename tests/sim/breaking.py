"""Lives that are to break: the first seed that does, and what it says."""

from __future__ import annotations

import re

from tests.sim.life import lived
from tests.sim.watch import Broken

__all__ = ["broken"]

SEEDS = 80


def broken(about: str = "") -> str:
    """The message of the first seed that breaks, of those that begin so; some seed must."""
    for seed in range(SEEDS):
        try:
            lived(seed)
        except Broken as error:
            found = error
            if str(found).partition(": ")[2].startswith(about):
                break
    else:
        raise AssertionError("no seed broke")
    assert re.match(rf"seed {seed}, step \d+: ", str(found))
    assert found.__notes__
    return str(found).partition(": ")[2]
