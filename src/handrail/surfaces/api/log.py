"""The log: its entries, the proof that one is in it, and its signed head."""

from __future__ import annotations

from functools import partial
from typing import Final

from handrail.core import merkle
from handrail.engine.keeping.checkpoint import sign_checkpoint
from handrail.engine.showing.show import is_sealed
from handrail.errors import InvalidInput, NotFound
from handrail.store.protocol import CheckpointRow, LoggedEntry, Tx
from handrail.surfaces.api.answers import LogView, ProofView
from handrail.surfaces.api.incoming import Access, Answer, Incoming, id_in
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import CheckpointQuery, LogQuery
from handrail.surfaces.api.views import entry_view

__all__ = ["OPERATIONS"]

INDEX_DIGITS_MAX: Final = 15


async def get_log(call: Incoming) -> LogView:
    """Entries from the newest down, or all about one action, person or customer."""
    query: LogQuery = call.query
    person = call.by_person()
    asked = [one for one in (query.proposal, query.person, query.customer) if one is not None]
    if len(asked) > 1 or (asked and query.before is not None):
        raise InvalidInput(
            "field_malformed", "ask by one of `before`, `proposal`, `person`, `customer`"
        )

    def look(tx: Tx) -> LogView:
        size = tx.log.size(person.desk)
        entries, more = _asked(tx, person.desk, query, size)
        seen = [entry for entry in entries if not is_sealed(tx, person, entry)]
        return LogView(
            size=size,
            items=[entry_view(entry) for entry in seen],
            next=entries[-1].index if more and entries else None,
        )

    return call.gateway.ctx.store.read(look)


async def get_proof(call: Incoming) -> ProofView:
    """That an entry is in the log of a signed checkpoint."""
    person, ctx = call.by_person(), call.gateway.ctx
    index = _index(call.scope["path_params"]["index"])
    latest = ctx.store.read(partial(_checkpoint, desk=person.desk))
    if latest is None or latest.size <= index:
        await call.gateway.runner.chore(partial(sign_checkpoint, ctx, person.desk))

    def look(tx: Tx) -> ProofView:
        checkpoint = _checkpoint(tx, desk=person.desk)
        logged = tx.log.entry(person.desk, index)
        if checkpoint is None or logged is None or is_sealed(tx, person, logged):
            raise NotFound("entry_not_found", f"there is no entry `{index}` in the log")
        proof = merkle.inclusion_proof(
            index, checkpoint.size, lambda level, n: tx.log.hash_at(person.desk, level, n)
        )
        return ProofView(
            index=index,
            size=checkpoint.size,
            leaf=logged.leaf,
            proof=[node.hex() for node in proof],
            checkpoint=checkpoint.note,
        )

    return ctx.store.read(look)


async def get_checkpoint(call: Incoming) -> Answer:
    """The newest signed head of a desk's log, as a signed note."""
    query: CheckpointQuery = call.query
    ctx = call.gateway.ctx
    desk = call.gateway.desk if query.desk is None else query.desk
    ctx.rulebook(desk)
    latest = ctx.store.read(partial(_checkpoint, desk=desk))
    if latest is None:
        note = await call.gateway.runner.chore(partial(sign_checkpoint, ctx, desk))
    else:
        note = latest.note
    return Answer(body=note.encode(), content_type=b"text/plain; charset=utf-8")


def _asked(tx: Tx, desk: str, query: LogQuery, size: int) -> tuple[list[LoggedEntry], bool]:
    """The entries asked for, and whether there are more below them."""
    if query.proposal is not None:
        return tx.log.of_proposal(desk, id_in(query.proposal, "proposal_not_found")), False
    if query.person is not None:
        return tx.log.of_person(desk, query.person, most=query.limit), False
    if query.customer is not None:
        return _of_customer(tx, desk, query.customer, query.limit), False
    before = size if query.before is None else min(query.before, size)
    entries = tx.log.latest(desk, before=before, most=query.limit)
    return entries, bool(entries) and entries[-1].index > 0


def _of_customer(tx: Tx, desk: str, customer: str, most: int) -> list[LoggedEntry]:
    """Every entry of the newest actions about a customer, in order."""
    ref = tx.vault.find_ref(desk, customer)
    if ref is None:
        return []
    found = [
        entry
        for proposal in tx.proposals.of_subject(desk, ref, most=most)
        for entry in tx.log.of_proposal(desk, proposal.id)
    ]
    return sorted(found, key=lambda entry: entry.index)


def _checkpoint(tx: Tx, *, desk: str) -> CheckpointRow | None:
    return tx.log.latest_checkpoint(desk)


def _index(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= INDEX_DIGITS_MAX):
        raise NotFound("entry_not_found", "an entry's index is a whole number from zero up")
    return int(text)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/log",
        summary="Entries of the log",
        handle=get_log,
        access=Access.PERSON,
        query=LogQuery,
        answer=LogView,
        problems=("proposal_not_found",),
    ),
    Operation(
        method="GET",
        path="/v1/log/{index}/proof",
        summary="Proof that an entry is in the signed log",
        handle=get_proof,
        access=Access.PERSON,
        answer=ProofView,
        problems=("entry_not_found", "log_damaged"),
    ),
    Operation(
        method="GET",
        path="/v1/checkpoint",
        summary="The signed head of the log",
        handle=get_checkpoint,
        query=CheckpointQuery,
        content_type="text/plain; charset=utf-8",
        problems=("desk_not_found", "log_damaged"),
    ),
)
