"""Export: make the bundle about an action or a customer, and write down who took it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from handrail.core.artifact import digest_of
from handrail.core.entry import Tag
from handrail.core.note import parse_checkpoint, parse_note
from handrail.core.principal import Principal, Role
from handrail.engine.base.context import Context
from handrail.engine.base.record import Data, note_on_desk
from handrail.engine.keeping.checkpoint import sign_checkpoint
from handrail.engine.showing.show import is_sealed
from handrail.errors import Conflict, NotAllowed, NotFound, Unavailable
from handrail.prove.bundle import bundle_of, supports_of
from handrail.prove.life import life_of
from handrail.store.protocol import Tx

__all__ = ["EXPORTERS", "LIVES_MAX", "Export", "export_action", "export_customer"]

LIVES_MAX: Final = 50
"""Actions of a customer in one bundle, and on one page."""
EXPORTERS: Final = frozenset((Role.AUDITOR, Role.ADMIN))
"""Who takes records out of the desk; whoever reads the log may look at them."""
_TRIES: Final = 3


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle as it is handed out, with a name for the file."""

    name: str
    data: bytes


def export_action(ctx: Context, id: str, by: Principal) -> Export:
    """The bundle about one action.

    Raises NotFound, NotAllowed `role_missing`, Conflict `proof_waits` while a checker's view is
    kept from the others, and Unavailable `proof_unsettled`.
    """
    _check(by)

    def is_hidden(tx: Tx) -> bool:
        return _is_hidden(tx, by, id)

    if ctx.store.read(is_hidden):
        raise Conflict("proof_waits", "checkers do not see each other's view before it is decided")
    data = _bundle(ctx, by.desk, (id,), f"action {id}")
    _note(ctx, by, data, subject=None, action=id)
    return Export(name=f"proof-{id}.zip", data=data)


def export_customer(ctx: Context, ref: str, by: Principal, *, after: str = "") -> Export:
    """The bundle about a customer's actions, by their reference: at most `LIVES_MAX` after one.

    What a checker's view is kept back of is left out, and counted in the manifest. Raises as
    `export_action`, and NotFound `subject_unknown` for a customer about whom there is nothing.
    """
    _check(by)

    def look(tx: Tx) -> tuple[list[str], list[str]]:
        tx.vault.erased_at(by.desk, ref)
        found = tx.proposals.about(by.desk, ref, after=after, most=LIVES_MAX)
        hidden = [one.id for one in found if _is_hidden(tx, by, one.id)]
        return [one.id for one in found if one.id not in hidden], hidden

    ids, hidden = ctx.store.read(look)
    if not ids:
        raise NotFound("subject_unknown", "there is nothing about that customer to export")
    about = f"customer {ref}, {len(ids)} actions, {len(hidden)} left out while checkers decide"
    data = _bundle(ctx, by.desk, ids, about)
    _note(ctx, by, data, subject=ref, action=None)
    return Export(name=f"proof-{ref}.zip", data=data)


def _check(by: Principal) -> None:
    if not EXPORTERS & set(by.roles):
        raise NotAllowed("role_missing", "records are exported by the roles auditor and admin")


def _is_hidden(tx: Tx, by: Principal, id: str) -> bool:
    return any(is_sealed(tx, by, logged) for logged in tx.log.of_proposal(by.desk, id))


def _bundle(ctx: Context, desk: str, ids: Sequence[str], about: str) -> bytes:
    """The bundle under a checkpoint that covers it; signed anew while the actions still move."""
    for _ in range(_TRIES):
        note = sign_checkpoint(ctx, desk)
        size = parse_checkpoint(parse_note(note)[0]).size

        def look(tx: Tx, size: int = size, note: str = note) -> bytes | None:
            lives = [life_of(tx, desk, id) for id in ids]
            entries = [one for life in lives for one in life.kept.entries]
            if any(one.index >= size for one in (*entries, *supports_of(tx, desk, lives))):
                return None
            return bundle_of(tx, desk, lives, about=about, size=size, note=note, signer=ctx.signer)

        data = ctx.store.read(look)
        if data is not None:
            return data
    raise Unavailable("proof_unsettled", "it kept moving while its proof was made; try again")


def _note(
    ctx: Context, by: Principal, data: bytes, *, subject: str | None, action: str | None
) -> None:
    digest = digest_of(data)

    def unit(tx: Tx) -> None:
        data: Data = {"action": action, "digest": digest}
        note_on_desk(tx, by.desk, Tag.PROOF_EXPORTED, actor=by.id, data=data, subject=subject)

    ctx.store.write(unit)
