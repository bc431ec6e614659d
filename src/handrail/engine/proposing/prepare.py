"""Prepare: read the facts and build the full request, outside any transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from handrail.connectors.protocol import Prepared
from handrail.core.accumulation import Sums
from handrail.core.action import ActionKind, Params
from handrail.core.artifact import Line
from handrail.core.canonical import canonical, check_plain
from handrail.core.decide import Ask
from handrail.core.grade import Grade
from handrail.core.markup.finds import seen_in
from handrail.core.money import Money
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.core.template import unresolved_markers
from handrail.core.text import hidden_marks
from handrail.engine.base.circuits import Way
from handrail.engine.base.context import AGENT_CONNECTOR, Context, Rulebook
from handrail.engine.base.outgoing import Spans, compared, doubts_of, found_in, spans_of
from handrail.errors import HandrailError, InvalidInput, Unavailable
from handrail.policy.checks import NOTHING, Checked
from handrail.policy.conditions import Given, once_read
from handrail.store.protocol import Tx

__all__ = ["NOTE_CHARS_MAX", "Draft", "Plan", "ask_of", "prepare", "under"]

NOTE_CHARS_MAX: Final = 20_000
KEY_CHARS_MAX: Final = 200
KIND_CHARS_MAX: Final = 100
_MARKS_MAX: Final = 5
_SUSPECT: Final = re.compile(rb"[\\\x7f]")
"""In the canonical form of a record: an escape, or the one control character that needs none."""
_KIND_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants done. `key` makes it idempotent; one is made up when it is None.

    `maker` is the agent of the task, or a person. `note` is the maker's own prose: shown folded,
    never believed. `claim` can only raise the grade. `undoes` names the action this one reverses,
    `late` that the time for that by one click is over. `editor` is the person who changed what
    `replaces` asked for; `lowers` says that they only lowered its amount.
    """

    maker: str
    kind: str
    params: Mapping[str, object]
    key: str | None = None
    note: str | None = None
    claim: Grade | None = None
    undoes: str | None = None
    late: bool = False
    editor: str | None = None
    replaces: Proposal | None = None
    lowers: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was prepared outside the transaction, ready to be decided and recorded.

    `given` is what the checks of the policy look at, `verdict` what they say before the sums are
    known; nothing for a kind without any. `spans` is what was found in the texts that leave the
    desk, `found` how much of each trigger.
    """

    ctx: Context
    task: Task
    draft: Draft
    rules: Rulebook
    kind: ActionKind | None
    params: Params
    prepared: Prepared
    version: str
    lines: tuple[Line, ...]
    value: Money | None
    ask: Ask
    request: bytes
    spans: Spans
    found: Mapping[str, int]
    given: Given | None = None
    verdict: Checked = NOTHING


def prepare(ctx: Context, task: Task, draft: Draft) -> Plan:
    """Read facts and build the full request. Outside the lane nothing is even looked up.

    Raises InvalidInput by field, `subject_unknown` or `connector_refused` from the system of
    record, `money_mixed_currency` when the caller states another currency than it, and Unavailable
    `connector_unavailable` when it does not answer.
    """
    _check_draft(draft)
    rules = ctx.rulebook(task.desk)
    kind = rules.kind(draft.kind)
    lane = None if draft.maker != task.agent else task.lane
    graded = kind is not None and rules.decider.admits_kind(draft.kind, lane)
    if kind is not None and graded:
        params = rules.parse(draft.kind, draft.params)
        prepared, lines, version = _prepared(ctx, kind, params)
    else:
        check_plain(draft.params)
        params = dict(draft.params)
        prepared, lines, version = Prepared(customer=None, request={}), _plain_lines(params), ""
    judged = _judged(rules, draft, lane, params, prepared, graded=graded, now=ctx.clock)
    return Plan(
        ctx=ctx,
        task=task,
        draft=draft,
        rules=rules,
        kind=kind,
        params=params,
        prepared=prepared,
        version=version,
        lines=lines,
        request=canonical([draft.kind, params, draft.undoes]),
        **judged._asdict(),
    )


def under(plan: Plan, rules: Rulebook) -> Plan | None:
    """The same plan as other rules see it, on what was read for its own; None when nothing was.

    Raises InvalidInput by field when the parameters are none by the other rules.
    """
    draft = plan.draft
    lane = None if draft.maker != plan.task.agent else plan.task.lane
    if plan.kind is None or not plan.rules.decider.admits_kind(draft.kind, lane):
        return None
    kind = rules.kind(draft.kind)
    graded = kind is not None and rules.decider.admits_kind(draft.kind, lane)
    params = rules.parse(draft.kind, draft.params) if graded else plan.params
    given = plan.given
    now = plan.ctx.clock if given is None else lambda: given.now
    judged = _judged(rules, draft, lane, params, plan.prepared, graded=graded, now=now)
    return msgspec.structs.replace(plan, rules=rules, kind=kind, params=params, **judged._asdict())


class _Judged(NamedTuple):
    """What rules make of an action before the sums are known: fields of a plan."""

    value: Money | None
    ask: Ask
    spans: Spans
    found: Mapping[str, int]
    given: Given | None
    verdict: Checked


def _judged(
    rules: Rulebook,
    draft: Draft,
    lane: str | None,
    params: Params,
    prepared: Prepared,
    *,
    graded: bool,
    now: Callable[[], int],
) -> _Judged:
    kind = rules.kind(draft.kind)
    value = None if kind is None else _value(kind, params, prepared.value)
    spans = spans_of(rules, draft.kind, params, prepared) if graded else {}
    found = found_in(rules, draft.kind, spans, prepared.request) if graded else {}
    checks = rules.checks.get(draft.kind) if graded else None
    given = None if checks is None else _given(params, prepared, value, now(), found)
    verdict = NOTHING if checks is None or given is None else checks.early(given)
    ask = _ask(draft, lane, kind, prepared, value, _unresolved(rules, draft.kind, params))
    if verdict is not NOTHING:
        ask = msgspec.structs.replace(ask, failed=verdict.failed, cleared=verdict.cleared)
    return _Judged(value, ask, spans, found, given, verdict)


def ask_of(
    tx: Tx, plan: Plan, subject: str, sums: Sums | None = None, *, before: str | None = None
) -> Ask:
    """What is decided, once the transaction knows whom it touches and what they had before.

    `before` is the action itself, when it is there already: of what is under way, only what came
    earlier concerns it, lest two wait for each other.
    """
    ask = plan.ask
    if sums is not None and sums.total is not None:
        ask = msgspec.structs.replace(ask, accumulated=sums.total)
    checks = plan.rules.checks.get(plan.draft.kind)
    if checks is not None and plan.given is not None and checks.is_late:
        desk, kind = plan.task.desk, plan.draft.kind
        under_way = None
        if checks.counts:
            under_way = tx.proposals.under_way(desk, subject, kind, before=before)
        checked = checks.late(plan.verdict, once_read(plan.given, sums, under_way))
        ask = msgspec.structs.replace(ask, failed=checked.failed, cleared=checked.cleared)
    touches = ask.lane is not None and plan.prepared.customer is not None
    if not touches or subject in plan.task.customers:
        return ask
    lane = plan.rules.policy.lanes.get(plan.task.lane)
    if lane is not None and lane.any_customer:
        return ask
    return msgspec.structs.replace(ask, account_in_lane=False)


def _given(
    params: Params, prepared: Prepared, value: Money | None, now: int, found: Mapping[str, int]
) -> Given:
    facts = {fact.name: fact.value for fact in prepared.facts}
    return Given(params=params, facts=facts, value=value, now=now, found=found)


def _check_draft(draft: Draft) -> None:
    if len(draft.kind) > KIND_CHARS_MAX or not _KIND_NAME.match(draft.kind):
        raise InvalidInput("field_malformed", "`kind` must be the name of an action kind")
    if draft.key is not None and not (
        1 <= len(draft.key) <= KEY_CHARS_MAX and draft.key.isascii() and draft.key.isprintable()
    ):
        raise InvalidInput(
            "field_malformed", f"`key` must be 1 to {KEY_CHARS_MAX} printable ASCII characters"
        )
    if draft.note is not None:
        check_plain(draft.note)
        if len(draft.note) > NOTE_CHARS_MAX:
            raise InvalidInput("too_large", f"`note` is longer than {NOTE_CHARS_MAX} characters")


def _prepared(
    ctx: Context, kind: ActionKind, params: Params
) -> tuple[Prepared, tuple[Line, ...], str]:
    if kind.runs_in_agent:
        return Prepared(customer=None, request={}), _plain_lines(params), AGENT_CONNECTOR
    connector, circuits, now = ctx.connector(kind.connector), ctx.circuits, ctx.clock()
    if not circuits.admits(kind.connector, Way.READ, now):
        raise Unavailable(
            "connector_unavailable",
            f"`{kind.connector}` has stopped answering and is left alone for a moment; nothing was"
            " done",
        )
    try:
        prepared = connector.prepare(kind.name, params, now=now)
        lines = tuple(connector.preview(kind.name, prepared.request))
        circuits.answered(kind.connector, Way.READ)
    except Unavailable:
        circuits.silent(kind.connector, Way.READ, now)
        raise
    except HandrailError:
        circuits.answered(kind.connector, Way.READ)
        raise
    except Exception as error:
        circuits.silent(kind.connector, Way.READ, now)
        raise Unavailable(
            "connector_unavailable",
            f"`{kind.connector}` did not answer ({type(error).__name__}); nothing was done",
        ) from error
    return compared(prepared), lines, connector.version


def _value(kind: ActionKind, params: Params, of_record: Money | None) -> Money | None:
    """The money that bands, caps and limits look at: the higher of what is stated and recorded.

    None when the policy looks at none, and when it is to come from the system of record, which
    does not know it.
    """
    found = None if kind.value is None else params.get(kind.value)
    stated = found if isinstance(found, Money) else None
    if kind.value is None and not kind.value_from_connector:
        return None
    if of_record is None:
        return None if kind.value_from_connector else stated
    return of_record if stated is None else max(stated, of_record)


def _plain_lines(params: Params) -> tuple[Line, ...]:
    """The literal parameters, for kinds that no connector renders."""
    return tuple(Line(label=name, text=_literal(value)) for name, value in params.items())


def _literal(value: object) -> str:
    if isinstance(value, Money):
        return value.text()
    return value if isinstance(value, str) else canonical(value).decode()


def _unresolved(rules: Rulebook, kind: str, params: Params) -> tuple[str, ...]:
    """Placeholders that nobody filled in, in texts that leave the desk; in words."""
    found = []
    for name in rules.outgoing.get(kind, ()):
        text = params.get(name)
        if isinstance(text, str):
            markers = unresolved_markers(seen_in(name, text))
            found += [f"{mark.what} in `{name}`" for mark in markers]
    return tuple(dict.fromkeys(found))


def _ask(
    draft: Draft,
    lane: str | None,
    kind: ActionKind | None,
    prepared: Prepared,
    value: Money | None,
    unresolved: tuple[str, ...],
) -> Ask:
    missing = prepared.missing
    doubtful, closed = doubts_of(prepared.request)
    missing += closed
    if kind is not None and kind.needs:
        known = {fact.name for fact in prepared.facts if fact.value is not None}
        missing += tuple(name for name in kind.needs if name not in known and name not in missing)
    return Ask(
        kind=draft.kind,
        lane=lane,
        value=value,
        missing=missing,
        contradicted=tuple(fact.against for fact in prepared.facts if fact.against is not None),
        hidden=(*_hidden_in(draft.params, prepared.request), *doubtful),
        unresolved=unresolved,
        claim=draft.claim,
        as_undo=draft.undoes is not None,
        late=draft.late,
    )


def _hidden_in(*records: Mapping[str, object]) -> tuple[str, ...]:
    """Where characters hide in what will be sent, in words; at most a handful."""
    found: dict[str, None] = {}
    for record in records:
        data = canonical(record)
        if data.isascii() and not _SUSPECT.search(data):
            continue
        for name, text in _texts(record, ""):
            for mark in hidden_marks(text):
                found.setdefault(f"{mark.what} in `{name}`")
                if len(found) >= _MARKS_MAX:
                    return tuple(found)
    return tuple(found)


def _texts(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if not value.isascii() or not value.isprintable():
            yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, name or str(key))
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for inner in value:
            yield from _texts(inner, name)
