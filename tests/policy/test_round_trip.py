"""Whatever policy the types can hold and the lint allows comes back from its YAML unchanged."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.core.accumulation import Accumulation
from handrail.core.action import TEXT_CHARS_MAX, ActionKind, Param, ParamType
from handrail.core.caps import CapRule, Scope, WhenFull
from handrail.core.grade import Axes, Catchable, Grade, grade_of
from handrail.core.money import MINOR_MAX
from handrail.core.policy import (
    Assignment,
    Attention,
    Band,
    CheckRule,
    Cleared,
    Clocks,
    Control,
    FactType,
    Guard,
    KindRule,
    LaneRule,
    Limits,
    Otherwise,
    PasskeyRule,
    Policy,
)
from handrail.engine.governing.versions import as_stored
from handrail.policy.lint import lint
from handrail.policy.loader import digest_policy, load, load_text, problems_of
from handrail.policy.packs import pack_names
from handrail.policy.problem import errors_in
from handrail.policy.shape import SPAN_MS_MAX, span_ms, span_text
from handrail.policy.written import written as as_text
from tests.policy.sample import GOOD
from tests.policy.writing import written

NAMES: Final = st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True)
WORDS: Final = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
KIND_NAMES: Final = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,9}", fullmatch=True)
# Words that YAML readers like to take for something else, beside any text of one line.
TEXTS: Final = st.one_of(
    st.sampled_from(["NO", "yes", "1", "1.50", "null", "~", "2026-01-01", "a: b", "# x", "é"]),
    st.from_regex(r"[!-~]( ?[!-~]){0,20}", fullmatch=True),
)
SPANS: Final = st.integers(1, 999_999_999)
BUDGETS: Final = st.none() | st.integers(1, 1_000_000)
ATTENTIONS: Final = st.builds(
    Attention, dwell_percent=st.integers(0, 400), per_hour=BUDGETS, per_day=BUDGETS
)
STEPS: Final = st.integers(0, 3)
AXES: Final = st.builds(Axes, reversibility=STEPS, blast_radius=STEPS, stakes=STEPS)
CURRENCIES: Final = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF"])
GUARDS: Final = [
    *(Guard(control=control) for control in Control if control is not Control.MAKER_CHECKER),
    *(Guard(control=Control.MAKER_CHECKER, checkers=checkers) for checkers in (1, 2, 5)),
]


@st.composite
def params(draw: st.DrawFn) -> Param:
    """A parameter of any type but money, which the kinds add themselves."""
    type_ = draw(st.sampled_from([type_ for type_ in ParamType if type_ is not ParamType.MONEY]))
    choices = st.lists(TEXTS, min_size=1, max_size=3, unique=True)
    return Param(
        name=draw(WORDS.filter(lambda name: name != "amount")),
        type=type_,
        required=draw(st.booleans()),
        choices=tuple(draw(choices)) if type_ is ParamType.CHOICE else (),
        chars_max=draw(st.integers(1, TEXT_CHARS_MAX)) if type_ is ParamType.TEXT else 100_000,
    )


@st.composite
def ladders(draw: st.DrawFn, lowest: Grade) -> tuple[Band, ...]:
    """Bands that rise in amount, grade and guard."""
    limits = sorted(draw(st.sets(st.integers(1, MINOR_MAX), max_size=3)))
    guards = draw(st.lists(st.sampled_from(GUARDS), min_size=4, max_size=4))
    grades = draw(st.lists(st.sampled_from(range(lowest, 4)), min_size=4, max_size=4))
    steps = zip(
        [*limits, None], sorted(guards, key=lambda g: g.order), sorted(grades), strict=False
    )
    return tuple(
        Band(up_to_minor=limit, grade=Grade(grade), guard=guard) for limit, guard, grade in steps
    )


CONDITIONS = st.sampled_from(
    ["now > timestamp('2020-01-01T00:00:00Z')", "open.same_kind < 3 && 'a: \"b\"' != ''"]
)


@st.composite
def rules(draw: st.DrawFn, name: str, undo: str) -> KindRule:
    """A kind with bands or without; it can be undone by the kind `undo`."""
    axes = draw(AXES)
    banded = draw(st.booleans())
    runs_in_agent = draw(st.booleans())
    declared = draw(st.lists(params(), max_size=3, unique_by=lambda param: param.name))
    amount = [Param(name="amount", type=ParamType.MONEY)] if banded else []
    kind = ActionKind(
        name=name,
        title=draw(TEXTS),
        connector=draw(NAMES),
        axes=axes,
        catchable=draw(st.sampled_from([Catchable.YES, Catchable.UNSURE])),
        params=(*declared, *amount),
        value="amount" if banded else None,
        value_from_connector=not runs_in_agent and draw(st.booleans()),
        needs=tuple(draw(st.lists(WORDS, max_size=3, unique=True))),
        undo=undo,
        runs_in_agent=runs_in_agent,
    )
    facts = draw(st.dictionaries(WORDS, st.sampled_from(FactType), max_size=3))
    checks = draw(st.lists(check_rules(), max_size=2, unique_by=lambda check: check.name))
    guard, bands = draw(st.sampled_from(GUARDS)), {}
    if banded:
        bands = draw(st.dictionaries(CURRENCIES, ladders(grade_of(axes)), min_size=1, max_size=3))
        guards = [band.guard for ladder in bands.values() for band in ladder]
        guard = max(guards, key=lambda guard: guard.order)
    cleared = Cleared(when=draw(CONDITIONS), guard=guard, bands=bands)
    return KindRule(
        kind=kind,
        guard=guard,
        bands=bands,
        facts=facts,
        checks=tuple(checks),
        cleared=draw(st.sampled_from([None, cleared])),
    )


@st.composite
def check_rules(draw: st.DrawFn) -> CheckRule:
    """A check with or without a sentence for the agent."""
    return CheckRule(
        name=draw(WORDS),
        require=draw(CONDITIONS),
        otherwise=draw(st.sampled_from(Otherwise)),
        reviewer=draw(TEXTS),
        agent=draw(st.none() | TEXTS),
    )


@st.composite
def caps(draw: st.DrawFn, kinds: list[str]) -> CapRule:
    """A cap on money, counts or customers, for all kinds or some."""
    currency = draw(st.none() | CURRENCIES)
    distinct = currency is None and draw(st.booleans())
    scopes = [scope for scope in Scope if not (distinct and scope is Scope.CUSTOMER)]
    return CapRule(
        name=draw(NAMES),
        scope=draw(st.sampled_from(scopes)),
        limit=draw(st.integers(1, MINOR_MAX)),
        currency=currency,
        distinct=distinct,
        halts_agent=draw(st.booleans()),
        window_ms=draw(SPANS),
        kinds=tuple(draw(st.lists(st.sampled_from(kinds), max_size=2, unique=True))),
        when_full=draw(st.sampled_from(WhenFull)),
    )


@st.composite
def accumulations(draw: st.DrawFn, kinds: dict[str, KindRule]) -> Accumulation | None:
    """What adds up: some of the kinds that have a value, or nothing."""
    valued = [
        name for name, rule in kinds.items() if rule.kind.value or rule.kind.value_from_connector
    ]
    if not valued:
        return None
    weights = st.dictionaries(st.sampled_from(valued), st.integers(1, 1000), min_size=1)
    return Accumulation(
        window_ms=draw(SPANS),
        currency=draw(CURRENCIES),
        weights=draw(weights),
        rates=draw(st.dictionaries(CURRENCIES, st.integers(1, 10**18 - 1))),
        margin=draw(st.integers(0, 100)),
        bunching=draw(st.none() | st.integers(1, 99)),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A policy that loads: two kinds or more, each the undo of the next."""
    names = draw(st.lists(KIND_NAMES, min_size=2, max_size=3, unique=True))
    kinds = {
        name: draw(rules(name, names[(place + 1) % len(names)])) for place, name in enumerate(names)
    }
    some = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple)
    lanes = {
        name: LaneRule(
            name=name,
            kinds=draw(st.just(("*",)) | some),
            any_customer=draw(st.booleans()),
            agents=draw(st.sampled_from([(), ("*",), ("bot", "A.b@c-1")])),
        )
        for name in draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))
    }
    clocks = {field: draw(SPANS) for field in Clocks.__struct_fields__}
    policy = Policy(
        name=draw(NAMES),
        version=draw(st.integers(1, 10**9)),
        kinds=kinds,
        lanes=lanes,
        caps=tuple(draw(st.lists(caps(names), max_size=2, unique_by=lambda cap: cap.name))),
        clocks=Clocks(**clocks),
        limits=Limits(
            **{
                field: draw(st.none() | st.integers(1, 1_000_000))
                for field in Limits.__struct_fields__
            }
        ),
        accumulation=draw(st.none() | accumulations(kinds)),
        assignment=draw(st.sampled_from(Assignment)),
        passkeys=draw(st.sampled_from(PasskeyRule)),
        attention=draw(ATTENTIONS),
        lane_order=tuple(lanes),
    )
    return msgspec.structs.replace(policy, digest=digest_policy(policy))


@given(policies())
@settings(max_examples=60, deadline=None)
def test_policy_comes_back_from_its_yaml(policy: Policy) -> None:
    """Loading what was written gives the same policy, to the digest."""
    assert errors_in(lint(policy)) == []
    assert load_text(written(policy), source="p") == policy


@given(policies())
@settings(max_examples=60, deadline=None)
def test_policy_comes_back_from_the_text_for_people(policy: Policy) -> None:
    """What an editor starts from is the same policy, to the digest, and says nothing twice."""
    text = as_text(policy)
    assert load_text(text, source="p") == policy
    assert as_text(load_text(text, source="p")) == text


@pytest.mark.parametrize("name", pack_names())
def test_pack_comes_back_from_the_text_for_people(name: str) -> None:
    """As it is, and as it is stored; no line is longer than people like to read."""
    policy = load(name)
    for one in (policy, as_stored(policy)):
        text = as_text(one)
        assert load_text(text, source=name).digest == policy.digest
        assert max(len(line) for line in text.splitlines()) <= 120


def test_sample_comes_back_too() -> None:
    """The small policy of the other tests survives the same way."""
    policy = load_text(GOOD, source="p")
    assert load_text(written(policy), source="p") == policy
    assert load_text(as_text(policy), source="p") == policy


@given(st.integers(1, SPAN_MS_MAX))
def test_span_comes_back_from_its_text(span: int) -> None:
    """Every span up to the limit has a text, when its number is short enough to be written."""
    text = span_text(span)
    read = span_ms(text)
    assert read == (span if len(text.rstrip("mshd")) <= 9 else None)


@given(st.text(alphabet=GOOD + "\x00\u202e&*!|>%@`'\"\t", max_size=200) | st.text(max_size=50))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_the_loader(text: str) -> None:
    """Any text at all gives problems with lines; none is a policy by accident."""
    problems = errors_in(problems_of(text))
    assert problems
    assert all(problem.line >= 1 for problem in problems)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_cut_of_a_policy_breaks_the_loader(data: st.DataObject) -> None:
    """A policy with a piece cut out either loads or says what is wrong, on a line that exists."""
    start = data.draw(st.integers(0, len(GOOD)))
    text = GOOD[:start] + GOOD[start + data.draw(st.integers(0, 60)) :]
    for problem in problems_of(text):
        assert 1 <= problem.line <= text.count("\n") + 2
