"""Checkpoints: the signed head of a desk's log, kept outside the database as well."""

from __future__ import annotations

from functools import partial

from handrail.core import merkle
from handrail.core.merkle import Frontier
from handrail.core.note import Checkpoint, is_signed_by, parse_checkpoint, parse_note
from handrail.core.restoration import Departed, Restoration
from handrail.engine.base.context import Context
from handrail.errors import SetupFailed
from handrail.store.protocol import CheckpointRow, Tx

__all__ = ["check_kept", "check_logs", "departed_of", "opened", "origin_of", "sign_checkpoint"]


def origin_of(desk: str) -> str:
    """The first line of a desk's checkpoints."""
    return f"handrail/{desk}"


def sign_checkpoint(ctx: Context, desk: str) -> str:
    """Sign the head of the log and keep the note inside and outside the database.

    Verified before signing: the new head must extend the last checkpoint kept outside, and one
    size never gets two roots. Returns the note; the last one when nothing was logged since.
    """
    latest = ctx.store.read(lambda tx: tx.log.latest_checkpoint(desk))
    head, now = ctx.store.read(lambda tx: (tx.log.head(desk), tx.now))
    if latest is not None and latest.size == head.size:
        _keep_too(ctx, desk, latest.note, head)
        return latest.note
    check_kept(ctx, desk)
    body = Checkpoint(origin=origin_of(desk), size=head.size, root=merkle.root(head)).body()
    note = ctx.signer.sign(body)
    ctx.store.keep_checkpoint(desk, note)
    row = CheckpointRow(size=head.size, note=note, at=now)
    ctx.store.write(lambda tx: tx.log.add_checkpoint(desk, row))
    return note


def _keep_too(ctx: Context, desk: str, note: str, head: Frontier) -> None:
    """Keep what another gateway has signed, as this one would have signed it."""
    kept = ctx.store.kept_checkpoints(desk)
    if kept and kept[-1].strip() == note.strip():
        return
    check_kept(ctx, desk)
    if opened(ctx, note).root != merkle.root(head):
        raise SetupFailed("log_damaged", "the database has a checkpoint that is not of its log")
    ctx.store.keep_checkpoint(desk, note)


def check_kept(ctx: Context, desk: str) -> None:
    """Refuse a log that is smaller than, or differs from, its last checkpoint kept outside.

    Raises SetupFailed `log_shrunk` or `log_damaged`.
    """
    kept = ctx.store.kept_checkpoints(desk)

    def look(tx: Tx) -> None:
        departed = departed_of(ctx, tx, desk) if kept else frozenset()
        saved = next(
            (
                one
                for one in (opened(ctx, note) for note in reversed(kept))
                if (one.size, one.root) not in departed
            ),
            None,
        )
        if saved is None:
            return
        head = tx.log.head(desk)
        if head.size < saved.size:
            raise SetupFailed(
                "log_shrunk",
                f"the log of `{desk}` has {head.size} entries, and its last saved checkpoint says"
                f" {saved.size}: entries were removed, or this is an old backup",
            )
        proof = merkle.consistency_proof(
            saved.size, head.size, lambda level, n: tx.log.hash_at(desk, level, n)
        )
        if not merkle.verify_consistency(
            saved.size, head.size, proof, saved.root, merkle.root(head)
        ):
            raise SetupFailed(
                "log_damaged",
                f"the log of `{desk}` no longer contains what its last saved checkpoint says",
            )

    ctx.store.read(look)


def check_logs(ctx: Context) -> None:
    """`check_kept` for every desk; none may be in the middle of being restored.

    Raises SetupFailed `log_restoring` for one that is.
    """
    for desk in ctx.rulebooks:
        check_kept(ctx, desk)
        if any(one.done_at is None for one in ctx.store.read(partial(_restorations, desk))):
            raise SetupFailed(
                "log_restoring",
                f"`{desk}` was restored from a backup, and what may have run since is not all"
                " looked up: run `handrail restore` again",
            )


def departed_of(ctx: Context, tx: Tx, desk: str) -> frozenset[Departed]:
    """The checkpoints that the log no longer extends, by restorations that this desk's key signed.

    Raises SetupFailed `log_damaged` for one that it did not sign.
    """
    found: set[Departed] = set()
    for one in tx.restorations.everything(desk):
        body, signatures = parse_note(one.note)
        signed = is_signed_by(body, signatures, ctx.signer.verifier, ctx.signer.verify)
        if not signed or body != one.statement():
            raise SetupFailed("log_damaged", "a restoration is not signed by this desk's key")
        found |= set(one.checkpoints())
    return frozenset(found)


def _restorations(desk: str, tx: Tx) -> list[Restoration]:
    return tx.restorations.everything(desk)


def opened(ctx: Context, note: str) -> Checkpoint:
    """The checkpoint in a note that this desk's key signed; raises SetupFailed otherwise."""
    body, signatures = parse_note(note)
    key = ctx.signer.verifier
    if not is_signed_by(body, signatures, key, ctx.signer.verify):
        raise SetupFailed("log_damaged", "a saved checkpoint is not signed by this desk's key")
    return parse_checkpoint(body)
