"""The contract of the store, stated once. SQLite and PostgreSQL both keep it.

Every state change is a unit: a function of a `Tx`. The store runs units one after the other,
commits many at once and only then resolves each caller. A unit that raises is rolled back alone;
the others of its commit may then be run again. Any method can raise `Unavailable` (nothing of the
unit was written).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Generic, Protocol, TypeVar

from handrail.store.candidates import Differing
from handrail.store.caps import Full
from handrail.store.desks import DeskRow, PolicyVersion
from handrail.store.escalations import Escalation
from handrail.store.halts import ACTIVE_HALTS_MAX
from handrail.store.log import CheckpointRow, LoggedEntry
from handrail.store.notices import ChannelState
from handrail.store.people import Credential, CredentialKind, Means, Session
from handrail.store.snoozes import SNOOZES_MAX
from handrail.store.tx import Tx
from handrail.store.vault import DESK_SUBJECT

__all__ = [
    "ACTIVE_HALTS_MAX",
    "DESK_SUBJECT",
    "SNOOZES_MAX",
    "ChannelState",
    "CheckpointRow",
    "Credential",
    "CredentialKind",
    "DeskRow",
    "Differing",
    "Escalation",
    "Full",
    "KeyedUnit",
    "LoggedEntry",
    "Means",
    "PolicyVersion",
    "Session",
    "Store",
    "Ticket",
    "Tx",
    "Unit",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Unit = Callable[[Tx], T]
"""A state change. It may be run more than once before it counts: it must not touch the outside."""


class KeyedUnit(Generic[T]):
    """A unit that first asks for the action of an agent under an idempotency key.

    `key` is (desk, agent, key). A store to which every question is a journey asks for the keys of a
    whole batch at once.
    """

    __slots__ = ("_run", "key")

    def __init__(self, key: tuple[str, str, str], run: Unit[T]) -> None:
        self.key = key
        self._run = run

    def __call__(self, tx: Tx) -> T:
        """Run it."""
        return self._run(tx)


class Ticket(Protocol[T_co]):
    """What `submit` returns: the outcome of a unit, once it is durable."""

    def result(self) -> T_co:
        """Wait (this thread commits if nobody else is committing) and return or raise."""
        ...

    def __await__(self) -> Generator[object, None, T_co]:
        """The same for a running event loop."""
        ...


class Store(Protocol):
    """The durable truth of one or many desks.

    `revocations` counts the commits of this process that ended a task: what is remembered of tasks
    is as good as it was while the count stands, but for what other processes do.
    """

    revocations: int

    def submit(self, unit: Unit[T]) -> Ticket[T]:
        """Queue a unit. It is durable when the ticket resolves, never before."""
        ...

    def write(self, unit: Unit[T]) -> T:
        """`submit(unit).result()`."""
        ...

    def read(self, look: Unit[T]) -> T:
        """Run `look` on one consistent snapshot of what is committed; it cannot write."""
        ...

    def keep_checkpoint(self, desk: str, note: str) -> None:
        """Keep a signed checkpoint outside the database."""
        ...

    def kept_checkpoints(self, desk: str) -> Sequence[str]:
        """The signed checkpoints kept outside the database, oldest first."""
        ...

    @property
    def fence(self) -> int:
        """The number under which this process claims attempts; no other ever had or has it.

        It only ever grows. Where several processes share the store, one that was silent for too
        long is given up by the others, and goes on under a new number.
        """
        ...

    def holds(self, fence: int | None) -> bool:
        """Whether this process may act under that fence at this moment. Asked before every call."""
        ...

    def is_gone(self, fence: int | None) -> bool:
        """Whether nobody acts under that fence any more, now or ever: its process is gone."""
        ...

    def listen(self, moved: Callable[[str], None]) -> None:
        """Call `moved`, from any thread, with the id of an action that another process has moved.

        A notice may come late or never: who waits looks by itself as well.
        """
        ...

    def close(self) -> None:
        """Commit what waits and let go. Later calls raise `store_closed`."""
        ...
