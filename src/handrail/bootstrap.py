"""The only module that knows every class: it opens a desk's directory and wires the parts.

A desk's directory holds `handrail.db` (the store), `desk.db` (the embedded desk), `keys/` (what
signs and seals, outside the database) and `checkpoints/` (signed heads of the log). With a store on
PostgreSQL the directory holds all but the first.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol, Self

import msgspec

from handrail.connectors.protocol import Connector
from handrail.connectors.sandbox import Sandbox
from handrail.core.policy import Policy
from handrail.engine.base.context import Context, offer_of
from handrail.engine.base.steady import SteadyClock
from handrail.engine.governing.desks import open_desk, resume_desks
from handrail.engine.keeping.checkpoint import check_logs, sign_checkpoint
from handrail.errors import HandrailError, InvalidInput, NotFound, SetupFailed
from handrail.policy.around import Offer
from handrail.policy.loader import load
from handrail.store.keyring import Keyring
from handrail.store.protocol import Store
from handrail.store.sqlite import SqliteStore
from handrail.store.tx import Tx
from handrail.store.vault import Keys
from handrail.surfaces.embedded import OPERATOR, Desk

__all__ = [
    "DEFAULT_DESK",
    "DEFAULT_POLICY",
    "DESK_CHARS_MAX",
    "Inspection",
    "embedded_offers",
    "holds_desk",
    "inspect",
    "now_ms",
    "open",
]

DEFAULT_DESK: Final = "main"
DEFAULT_POLICY: Final = "support-desk"
STORE_FILE: Final = "handrail.db"
SANDBOX_FILE: Final = "desk.db"
KEYS_FOLDER: Final = "keys"
CHECKPOINTS_FOLDER: Final = "checkpoints"
KEY_FILES: Final = ("log.key", "vault.key")
DESK_CHARS_MAX: Final = 64
_DATABASES: Final = (STORE_FILE, SANDBOX_FILE)
_COUNTER: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_SQLITE_TAILS: Final = ("", "-wal", "-shm", ".lock")


class OpenStore(Store, Protocol):
    """A store as its opener sees it: with its clock, and whether it is closed."""

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        ...

    def now(self) -> int:
        """The clock that everything is timed by."""
        ...


def embedded_offers() -> dict[str, dict[str, Offer]]:
    """What the connectors that come with handrail do for which kinds, without opening any."""
    served = {Sandbox.name: Sandbox.served()}
    return {
        name: {kind: offer_of(found) for kind, found in kinds.items()}
        for name, kinds in served.items()
    }


class _First(NamedTuple):
    """The policy that a desk is opened with; with `only_new`, if there is no such desk yet."""

    policy: Policy | None
    only_new: bool


def now_ms() -> int:
    """The clock: milliseconds UTC."""
    return time.time_ns() // 1_000_000


def open(
    path: str | os.PathLike[str],
    *,
    policy: str | Policy | msgspec.UnsetType | None = msgspec.UNSET,
    desk: str = DEFAULT_DESK,
    connectors: Mapping[str, Connector] | None = None,
    keys: str | os.PathLike[str] | None = None,
    store: str | None = None,
    clock: Callable[[], int] | None = None,
    counter: Callable[[], int] | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
    check: Callable[[Context], None] = check_logs,
) -> Desk:
    """Open (or make) a desk in a directory of its own, and go on where it stopped.

    `policy` is a pack's name, a file, or a loaded policy. Left out, a new desk begins with the pack
    `support-desk`, and one that exists goes on with the policy that is active; None is the same,
    but makes no desk. A policy that is not the active one is taken up where nobody on the desk may
    approve policies; else only if it is nowhere looser, and people are told of any other. Without
    `connectors` the embedded desk with its sample customers stands in for the outside world. `keys`
    is where the key files lie, by default inside the directory; put them on another disk in
    earnest. `store` is the address of a PostgreSQL database (`postgresql://...`) that takes the
    place of the file in the directory and can be shared by several processes; time is then its own.
    `counter` goes forward by a millisecond each millisecond, whatever the clock does; the system's
    own clock has one, a `clock` of your own is believed without. `check` may refuse a desk's logs.

    Raises SetupFailed, PolicyInvalid or NotFound by code. A desk that fails leaves nothing behind.
    """
    _check_name(desk)
    first = _first(policy)
    folder = Path(path)
    key_folder = Path(keys) if keys is not None else folder / KEYS_FOLDER
    made = holds_desk(folder, store=store)
    if first.policy is None and not made:
        raise _no_desk(folder)
    with ExitStack() as stack:
        if store is not None and not (made and folder.exists()):
            stack.enter_context(_making_keys(folder, key_folder))
            made = holds_desk(folder, store=store)
        elif not made:
            stack.enter_context(_making(folder, key_folder))
            made = holds_desk(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise SetupFailed("directory_unwritable", f"cannot write in `{folder}`")
        ring = _keyring(key_folder, fresh=not made, entropy=entropy)
        vault = Keys(ring.vault_key, entropy)
        time_of_day = clock if store is not None else _steady(clock, counter)
        opened = _store(folder, store, vault, time_of_day)
        steady = time_of_day if isinstance(time_of_day, SteadyClock) else None
        return _opened(folder, ring, vault, opened, first, desk, connectors, entropy, steady, check)


def _first(policy: str | Policy | msgspec.UnsetType | None) -> _First:
    chosen = DEFAULT_POLICY if isinstance(policy, msgspec.UnsetType) else policy
    loaded = load(chosen) if isinstance(chosen, str) else chosen
    return _First(loaded, policy is msgspec.UNSET)


def _store(
    folder: Path,
    address: str | None,
    vault: Keys,
    clock: Callable[[], int] | None,
    *,
    read_only: bool = False,
) -> OpenStore:
    """The store: the file in the directory, or the database of that address."""
    checkpoints = folder / CHECKPOINTS_FOLDER
    if address is None:
        return SqliteStore(
            folder / STORE_FILE,
            keys=vault,
            clock=clock or now_ms,
            checkpoints=checkpoints,
            read_only=read_only,
        )
    # WHY NOT: at the top. Who has no PostgreSQL need not wait for its driver.
    from handrail.store.postgres import PostgresStore

    return PostgresStore(
        address, keys=vault, clock=clock, checkpoints=checkpoints, read_only=read_only
    )


def _steady(
    clock: Callable[[], int] | None, counter: Callable[[], int] | None
) -> Callable[[], int]:
    if clock is not None and counter is None:
        return clock
    return SteadyClock(clock or now_ms, counter or _counter_ms)


def _counter_ms() -> int:
    """Milliseconds since the machine started, its sleep included where the system tells."""
    return time.clock_gettime_ns(_COUNTER) // 1_000_000


def _opened(
    folder: Path,
    ring: Keyring,
    vault: Keys,
    store: OpenStore,
    first: _First,
    desk: str,
    connectors: Mapping[str, Connector] | None,
    entropy: Callable[[int], bytes],
    steady: SteadyClock | None,
    check: Callable[[Context], None],
) -> Desk:
    opened: list[Sandbox] = []
    clock = store.now
    try:
        _check_keys(store, ring, vault)
        if connectors is None:
            opened.append(Sandbox.open(folder / SANDBOX_FILE, now=clock()))
            connectors = {one.name: one for one in opened}
        ctx = Context(store=store, connectors=connectors, signer=ring, clock=clock, entropy=entropy)
        if steady is not None:
            steady.doubts = ctx.doubts
            steady.not_before(store.read(_last_written_at))
        resume_desks(ctx)
        if first.policy is not None and not (first.only_new and desk in ctx.rulebooks):
            open_desk(ctx, desk, first.policy, actor=OPERATOR)
        ctx.rulebook(desk)
        check(ctx)
    except BaseException:
        store.close()
        for sandbox in opened:
            sandbox.close()
        raise
    return Desk(ctx, desk, on_close=lambda: _close(ctx, store, opened))


def _last_written_at(tx: Tx) -> int:
    """The latest time in any desk's log: it is not earlier than that."""
    latest = 0
    for desk in tx.desks.all():
        # What is damaged is found, and named, a moment later.
        with suppress(msgspec.MsgspecError, HandrailError):
            for logged in tx.log.latest(desk.id, before=tx.log.size(desk.id), most=1):
                latest = max(latest, logged.entry.at)
    return latest


def holds_desk(path: str | os.PathLike[str], *, store: str | None = None) -> bool:
    """Whether there is a desk in that directory, or in the database of that address.

    Raises SetupFailed: `directory_unwritable` when the directory cannot be looked into.
    """
    if store is not None:
        from handrail.store.postgres import PostgresStore

        return PostgresStore.holds_desk(store)
    try:
        return (Path(path) / STORE_FILE).exists()
    except OSError as error:
        raise SetupFailed(
            "directory_unwritable", f"cannot look into `{path}`: {error.strerror}"
        ) from None


class Inspection:
    """A desk's directory opened for reading only, also while a server has it open."""

    def __init__(self, store: OpenStore, signer: Keyring, desk: str) -> None:
        self.store = store
        self.signer = signer
        self._desk = desk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def kept_checkpoints(self) -> Sequence[str]:
        """The signed checkpoints kept outside the database."""
        return self.store.kept_checkpoints(self._desk)


def inspect(
    path: str | os.PathLike[str],
    *,
    desk: str = DEFAULT_DESK,
    keys: str | os.PathLike[str] | None = None,
    store: str | None = None,
) -> Inspection:
    """Open a desk's directory for reading: nothing is locked, changed or signed.

    Raises NotFound `desk_not_found`, and SetupFailed for keys or a database that cannot be used.
    """
    folder = Path(path)
    if not holds_desk(folder, store=store):
        raise _no_desk(folder)
    ring = Keyring.load(Path(keys) if keys is not None else folder / KEYS_FOLDER)
    opened = _store(folder, store, Keys(ring.vault_key, os.urandom), None, read_only=True)
    known = opened.read(lambda tx: [row.id for row in tx.desks.all()])
    if desk not in known:
        opened.close()
        raise NotFound("desk_not_found", f"there is no desk `{desk}` in `{folder}`")
    return Inspection(opened, ring, desk)


def _no_desk(folder: Path) -> NotFound:
    return NotFound(
        "desk_not_found", f"there is no desk in `{folder}`; `handrail init {folder}` makes one"
    )


def _check_name(desk: str) -> None:
    """A desk's name stands in the first line of its checkpoints."""
    if not (1 <= len(desk) <= DESK_CHARS_MAX and desk.isascii() and desk.isprintable()):
        what = f"a desk's name has 1 to {DESK_CHARS_MAX} visible ASCII characters"
        raise InvalidInput("setting_malformed", what)
    if " " in desk:
        raise InvalidInput("setting_malformed", "a desk's name has no space in it")


@contextmanager
def _making(folder: Path, key_folder: Path) -> Iterator[None]:
    """Be alone in making a desk; what was made of it is removed again if that fails."""
    files = [folder / f"{name}{tail}" for name in _DATABASES for tail in _SQLITE_TAILS]
    files += [key_folder / name for name in KEY_FILES]
    with _alone_in(folder) as new_folders, _alone_in(key_folder, mode=0o700) as new_key_folders:
        # Another process may have made it before the lock was ours: then nothing here is new.
        old = set(files) if holds_desk(folder) else {file for file in files if file.exists()}
        try:
            yield
        except BaseException:
            for file in set(files) - old:
                with suppress(OSError):
                    file.unlink()
            for made in [*new_key_folders, folder / CHECKPOINTS_FOLDER, *new_folders]:
                # What is not empty holds something that is not ours to remove.
                with suppress(OSError):
                    made.rmdir()
            raise


@contextmanager
def _making_keys(folder: Path, key_folder: Path) -> Iterator[None]:
    """Be alone in making a desk's keys. They stay: the database may remember them already."""
    with _alone_in(folder), _alone_in(key_folder, mode=0o700):
        yield


@contextmanager
def _alone_in(folder: Path, *, mode: int = 0o777) -> Iterator[list[Path]]:
    """Lock a directory against others that make a desk there; gives the directories made for it."""
    new = []
    try:
        for one in reversed([folder, *folder.parents]):
            if not one.exists():
                one.mkdir(mode=mode, exist_ok=True)
                new.append(one)
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        for made in reversed(new):
            made.rmdir()
        raise SetupFailed(
            "directory_unwritable", f"cannot make `{folder}`: {error.strerror}"
        ) from None
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            what = f"another process is making a desk in `{folder}`"
            raise SetupFailed("store_locked", what) from None
        yield new[::-1]
    finally:
        os.close(place)


def _keyring(folder: Path, *, fresh: bool, entropy: Callable[[int], bytes]) -> Keyring:
    """New keys for a new desk, unless some lie there ready; an old desk's keys must be there."""
    if fresh and not any((folder / name).exists() for name in KEY_FILES):
        return Keyring.create(folder, entropy)
    return Keyring.load(folder)


def _check_keys(store: OpenStore, ring: Keyring, vault: Keys) -> None:
    """The database remembers the keys that it was made with."""
    ours = {"log_key": ring.verifier.text(), "vault_check": vault.check}
    if not store.write(lambda tx: tx.desks.settle(ours)):
        raise SetupFailed(
            "key_mismatch", "the key files are not the ones that this desk was made with"
        )


def _close(ctx: Context, store: OpenStore, sandboxes: list[Sandbox]) -> None:
    if store.closed:
        return
    try:
        for desk in ctx.rulebooks:
            sign_checkpoint(ctx, desk)
    except HandrailError:
        # WHY NOT: raise. Closing must let go of the files; the next opening checks the log again.
        pass
    finally:
        store.close()
        for sandbox in sandboxes:
            sandbox.close()
