"""The whole life of an action, or of a customer's actions, on one page that can be printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.note import is_signed_by, parse_checkpoint, parse_note
from handrail.core.principal import Principal
from handrail.engine.base.context import Context
from handrail.engine.base.outgoing import spans_by_text, texts_of
from handrail.engine.governing.amendment import POLICY_READERS
from handrail.engine.governing.versions import opened_policy
from handrail.engine.showing.show import Card, cards_of, is_sealed
from handrail.errors import HandrailError, InvalidInput
from handrail.policy.place import PolicyLine, lines_behind
from handrail.prove.audit import Allowed, allowed_of
from handrail.prove.export import EXPORTERS, LIVES_MAX, export_action, export_customer
from handrail.prove.life import Life, Odd, Showing, life_of, outside
from handrail.store.protocol import Tx
from handrail.surfaces.console.case.action import ShownFact, shown_facts
from handrail.surfaces.console.language.words import (
    CAUSES,
    GRADES,
    STATE_TONES,
    STATES,
    VERDICTS,
    control_text,
)
from handrail.surfaces.console.pages import SECURITY_HEADERS, Visitor
from handrail.surfaces.console.record.log import LogRow, log_rows
from handrail.surfaces.console.text.lines import ShownLine, shown_lines
from handrail.surfaces.console.text.literal import json_text

__all__ = ["ShownLife", "customer_life", "customer_proof", "life", "proof"]

_ZIP: Final = "application/zip"


class ShownReason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason of a decision; `line` is that of the policy, for who reads policies."""

    text: str
    line: PolicyLine | None


class ShownLife(msgspec.Struct, frozen=True, kw_only=True):
    """One life in words. `odd` is everything that does not match the log.

    `shown_to` is who was shown it, by name, in which version and when first: for who may export.
    `kept_back` says that what checkers have said is not shown yet. `covered` is how many of the
    entries are under the newest signed checkpoint.
    """

    life: Life
    card: Card
    ticket: str | None
    allowed: Allowed
    label: str
    tone: str
    meaning: str
    control: str
    reasons: tuple[ShownReason, ...]
    lines: list[ShownLine]
    facts: list[ShownFact]
    request: str
    answer: str
    rows: list[LogRow]
    shown_to: tuple[tuple[str, Showing], ...]
    kept_back: bool
    covered: int
    odd: tuple[Odd, ...]


async def life(visitor: Visitor) -> Response:
    """The page of one action's life."""
    id = visitor.request.path_params["id"]
    ctx = visitor.gateway.ctx
    shown = ctx.store.read(lambda tx: _shown(visitor, tx, life_of(tx, visitor.desk, id)))
    signed = ctx.store.read(lambda tx: tx.log.latest_checkpoint(visitor.desk))
    return visitor.render(
        "life.html",
        lives=[shown],
        causes=CAUSES,
        verdicts=VERDICTS,
        signed=signed,
        may_export=bool(EXPORTERS & set(visitor.person.roles)),
        export=f"/audit/actions/{shown.life.kept.proposal.id}/proof",
    )


async def customer_life(visitor: Visitor) -> Response:
    """The page of a customer: everything about them, oldest first, a page at a time."""
    ref = visitor.request.path_params["ref"]
    after = visitor.request.query_params.get("after", "")
    ctx, desk = visitor.gateway.ctx, visitor.desk

    def look(tx: Tx) -> tuple[list[ShownLife], str | None, int | None, str | None]:
        erased_at = tx.vault.erased_at(desk, ref)
        found = tx.proposals.about(desk, ref, after=after, most=LIVES_MAX + 1)
        shown = [_shown(visitor, tx, life_of(tx, desk, one.id)) for one in found[:LIVES_MAX]]
        following = found[LIVES_MAX - 1].id if len(found) > LIVES_MAX else None
        customer = None if erased_at is not None else tx.vault.customer_of(desk, ref)
        return shown, following, erased_at, customer

    lives, following, erased_at, customer = ctx.store.read(look)
    return visitor.render(
        "life_customer.html",
        ref=ref,
        customer=customer,
        erased_at=erased_at,
        lives=lives,
        causes=CAUSES,
        verdicts=VERDICTS,
        next_after=following,
        after=after,
        signed=ctx.store.read(lambda tx: tx.log.latest_checkpoint(desk)),
        may_export=bool(lives) and bool(EXPORTERS & set(visitor.person.roles)),
        export=f"/audit/customers/{ref}/proof",
    )


async def proof(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Download the proof of one action; that it was taken is logged."""
    id = visitor.request.path_params["id"]
    gateway = visitor.gateway
    made = await gateway.runner.chore(partial(export_action, gateway.ctx, id, visitor.person))
    return _download(made.name, made.data)


async def customer_proof(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Download the proof of the actions that the customer's page shows."""
    ref = visitor.request.path_params["ref"]
    gateway = visitor.gateway
    export = partial(export_customer, gateway.ctx, ref, visitor.person, after=form.get("after", ""))
    made = await gateway.runner.chore(export)
    return _download(made.name, made.data)


def _download(name: str, data: bytes) -> Response:
    if not name.isascii() or '"' in name:
        raise InvalidInput("field_malformed", "that is not a reference")
    headers = {
        **SECURITY_HEADERS,
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{name}"',
    }
    return Response(data, media_type=_ZIP, headers=headers)


def _shown(visitor: Visitor, tx: Tx, life: Life) -> ShownLife:
    ctx, viewer = visitor.gateway.ctx, visitor.person
    proposal, content = life.kept.proposal, life.content
    task = tx.tasks.get(proposal.desk, proposal.task)
    wrong, covered = _under_checkpoint(ctx, tx, life)
    artifact = {} if content is None else msgspec.json.decode(content.artifact)
    spans = {} if content is None else spans_by_text(content.spans, texts_of(artifact))
    return ShownLife(
        life=life,
        card=cards_of(ctx, tx, [proposal])[0],
        ticket=None if task is None else task.ticket,
        allowed=allowed_of(tx, ctx, viewer, proposal),
        label="Undone" if proposal.undone_by is not None else STATES[proposal.state],
        tone="" if proposal.undone_by is not None else STATE_TONES.get(proposal.state, ""),
        meaning=GRADES[proposal.grade],
        control=control_text(proposal.control, proposal.checkers),
        reasons=_reasons(visitor, life),
        lines=[] if content is None else shown_lines(proposal, content.lines, spans),
        facts=[] if content is None else shown_facts(content.facts, content.failed),
        request="" if content is None else json_text(artifact.get("request")),
        answer="" if life.answer is None else json_text(life.answer),
        rows=log_rows(ctx, tx, viewer, life.kept.entries, keep_sealed=False),
        shown_to=_shown_to(tx, viewer, life),
        kept_back=any(is_sealed(tx, viewer, one) for one in life.kept.entries),
        covered=covered,
        odd=(*life.odd, *wrong),
    )


def _shown_to(tx: Tx, viewer: Principal, life: Life) -> tuple[tuple[str, Showing], ...]:
    """When people were at it is about their time: it is for who takes records out of the desk."""
    if not EXPORTERS & set(viewer.roles):
        return ()
    found = [(tx.people.get(viewer.desk, one.person), one) for one in life.shown]
    return tuple((one.person if who is None else who.name, one) for who, one in found)


def _under_checkpoint(ctx: Context, tx: Tx, life: Life) -> tuple[Sequence[Odd], int]:
    """Entries that are not in the log that was signed last, and how many it covers."""
    desk = life.kept.proposal.desk
    row = tx.log.latest_checkpoint(desk)
    if row is None:
        return (), 0
    try:
        body, signatures = parse_note(row.note)
        signed = is_signed_by(body, signatures, ctx.signer.verifier, ctx.signer.verify)
        checkpoint = parse_checkpoint(body)
    except HandrailError:
        return (Odd(what="the newest checkpoint is not readable"),), 0
    if not signed:
        return (Odd(what="the newest checkpoint is not signed by this desk's key"),), 0
    entries = life.kept.entries
    wrong = outside(tx, desk, entries, checkpoint)
    odd = [Odd(what="an entry is not in the log that was signed", index=one) for one in wrong]
    return odd, sum(one.index < checkpoint.size for one in entries)


def _reasons(visitor: Visitor, life: Life) -> tuple[ShownReason, ...]:
    """Every reason; who does not read policies sees no line of one."""
    content, proposal = life.content, life.kept.proposal
    if content is None:
        return ()
    places: tuple[PolicyLine | None, ...] = (None,) * len(content.reasons)
    if life.policy is not None and POLICY_READERS & set(visitor.person.roles):
        places = lines_behind(
            opened_policy(life.policy.body, life.policy.digest, life.policy.desk),
            proposal.kind,
            content.reasons,
            value=proposal.value,
            failed=content.failed,
        )
    pairs = zip(content.reasons, places, strict=True)
    return tuple(ShownReason(text=one.text, line=line) for one, line in pairs)
