"""A transaction, seen as its nouns."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.store.amendments import Amendments
from handrail.store.breakglass import Grants
from handrail.store.candidates import Candidates
from handrail.store.caps import Caps
from handrail.store.desks import Counters, Desks
from handrail.store.escalations import Escalations
from handrail.store.halts import Halts
from handrail.store.log import Log, Trees
from handrail.store.looks import Looks
from handrail.store.notices import Channels, Notices
from handrail.store.passkeys import Passkeys
from handrail.store.people import People
from handrail.store.proposals import Proposals
from handrail.store.restorations import Restorations
from handrail.store.rows import Rows
from handrail.store.snoozes import Snoozes
from handrail.store.tasks import Tasks
from handrail.store.vault import Keys, Vault

__all__ = ["Mark", "Tx"]

Mark = tuple[dict[str, int], dict[tuple[str, str], int], int, dict[tuple[str, str, str], int]]
"""Where the in-memory part of a transaction stands: leaves, counters, customers met, caps."""


class Tx:
    """One open transaction or snapshot. `now` is the store's clock, read after the lock.

    It is read again before each unit: what settles is never dated before it happened, though the
    transaction may have begun earlier. Else its reservation would leave a window too soon.

    What a unit appends to the log and adds to the counters is kept in memory and written once per
    commit by `finish`; `mark` and `back_to` undo one unit's part of it.

    `active` names the active policy of each desk, by its digest, as this transaction sees it. It is
    empty where no other process can activate one.
    """

    def __init__(self, rows: Rows, trees: Trees, keys: Keys, now: int) -> None:
        self.now = now
        self.active: Mapping[str, str] = {}
        self.desks = Desks(rows)
        self.candidates = Candidates(rows)
        self.people = People(rows)
        self.passkeys = Passkeys(rows)
        self.tasks = Tasks(rows)
        self.proposals = Proposals(rows)
        self.escalations = Escalations(rows)
        self.halts = Halts(rows)
        self.looks = Looks(rows)
        self.grants = Grants(rows)
        self.amendments = Amendments(rows)
        self.restorations = Restorations(rows)
        self.channels = Channels(rows)
        self.notices = Notices(rows)
        self.snoozes = Snoozes(rows)
        self.caps = Caps(rows)
        self.counters = Counters(rows)
        self.log = Log(rows, trees)
        self.vault = Vault(rows, keys)

    def mark(self) -> Mark:
        """Where the in-memory part stands before a unit."""
        return self.log.mark(), self.counters.mark(), self.vault.mark(), self.caps.mark()

    def back_to(self, mark: Mark) -> None:
        """Forget what a failed unit appended, counted, met and read."""
        self.log.back_to(mark[0])
        self.counters.back_to(mark[1])
        self.vault.back_to(mark[2])
        self.caps.back_to(mark[3])
        self.people.forget()
        self.tasks.forget()
        self.halts.forget()
        self.grants.forget()

    def finish(self) -> Trees:
        """Write the tree heads and counters; the trees to keep once the commit has landed."""
        self.caps.flush()
        self.counters.flush()
        return self.log.integrate()
