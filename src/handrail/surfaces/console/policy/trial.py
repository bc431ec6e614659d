"""A supposed action: what a policy would do with it, why, and what would change that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.action import Param, ParamType
from handrail.core.grade import Grade
from handrail.core.policy import FactType, KindRule, Policy
from handrail.core.text import visible
from handrail.engine.governing.amendment import check_reader
from handrail.errors import HandrailError
from handrail.policy.difference import guard_text
from handrail.policy.explain import Explanation, explain
from handrail.surfaces.console.language.words import GRADES, LOUD_REASONS, REASONS, control_text
from handrail.surfaces.console.pages import Visitor
from handrail.surfaces.console.policy.editor import sent_policy, sent_text
from handrail.surfaces.console.policy.room import owns_policies
from handrail.surfaces.supposed import Supposed, case_of

__all__ = ["AskedField", "suppose", "supposed"]

VALUE_CHARS_MAX: Final = 4_000
_PARAM: Final = "p."
_FACT: Final = "f."
_YES_NO: Final = ("yes", "no")
_TAKES: Final = {
    ParamType.MONEY: "such as 60.00 USD",
    ParamType.INTEGER: "a whole number",
    ParamType.RECORD: "JSON",
}
_HOLDS: Final = {
    FactType.MONEY: "such as 60.00 USD",
    FactType.INTEGER: "a whole number",
    FactType.DATE: "a day such as 2026-02-28",
}


class AskedField(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form: `name` in the form, `label` for people, what it takes."""

    name: str
    label: str
    takes: str
    choices: tuple[str, ...]
    value: str


async def suppose(visitor: Visitor) -> Response:
    """The form against the active policy; everything is in its address, so it can be passed on."""
    check_reader(visitor.person)
    policy = visitor.gateway.ctx.rulebook(visitor.desk).policy
    return _page(visitor, policy, visitor.request.query_params, text="")


async def supposed(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """The form against the text of the editor, which comes along with every step."""
    check_reader(visitor.person)
    policy = await sent_policy(visitor, form)
    if isinstance(policy, Response):
        return policy
    return _page(visitor, policy, form, text=sent_text(form))


def _page(visitor: Visitor, policy: Policy, form: Mapping[str, str], *, text: str) -> Response:
    kind = form.get("kind", "")
    rule = policy.kinds.get(kind)
    fields = [] if rule is None else [*_params(rule, form), *_facts(rule, form)]
    found, problem = None, None
    if rule is not None and form.get("ask"):
        try:
            found = explain(policy, case_of(policy, _typed(form), now=visitor.gateway.ctx.clock()))
        except HandrailError as error:
            problem = error.message
    adds = policy.accumulation
    return visitor.render(
        "policy_try.html",
        status=200 if problem is None else 422,
        policy=policy,
        text=text,
        kinds=[(name, one.kind.title) for name, one in policy.kinds.items()],
        kind=kind,
        rule=rule,
        params=[one for one in fields if one.name.startswith(_PARAM)],
        facts=[one for one in fields if one.name.startswith(_FACT)],
        lanes=list(policy.lanes),
        grades=[grade.name for grade in Grade],
        sums_in=adds.currency if adds is not None and kind in adds.weights else None,
        value_asked=rule is not None
        and (rule.kind.value_from_connector or (bool(rule.bands) and rule.kind.value is None)),
        given={name: _again(form, name) for name in _GIVEN},
        found=found,
        facts_of=None if found is None else _looked(found),
        does=None
        if found is None
        else control_text(found.decision.guard.control, found.decision.guard.checkers),
        meaning=None if found is None else GRADES[found.decision.grade],
        guard=guard_text,
        reasons=[]
        if found is None
        else [
            (REASONS[one.code], one.text, LOUD_REASONS.get(one.code))
            for one in found.decision.reasons
        ],
        problem=problem,
        owner=owns_policies(visitor),
    )


_GIVEN: Final = ("lane", "value", "earlier", "claim")


def _typed(form: Mapping[str, str]) -> Supposed:
    """What was filled in; an empty field is one that was left out."""
    given = {name: form.get(name, "").strip() or None for name in _GIVEN}
    return Supposed(
        kind=form.get("kind", ""),
        params=_filled(form, _PARAM),
        facts=_filled(form, _FACT),
        **given,
    )


def _filled(form: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): form[name]
        for name in form
        if name.startswith(prefix) and form[name].strip()
    }


def _params(rule: KindRule, form: Mapping[str, str]) -> list[AskedField]:
    return [
        AskedField(
            name=_PARAM + one.name,
            label=one.name,
            takes=_TAKES.get(one.type, ""),
            choices=_choices(one),
            value=_again(form, _PARAM + one.name),
        )
        for one in rule.kind.params
    ]


def _again(form: Mapping[str, str], name: str) -> str:
    """What was typed, for the form to begin with: a link may have brought it."""
    return visible(form.get(name, "")[:VALUE_CHARS_MAX])


def _choices(param: Param) -> tuple[str, ...]:
    return _YES_NO if param.type is ParamType.BOOLEAN else param.choices


def _facts(rule: KindRule, form: Mapping[str, str]) -> list[AskedField]:
    types = {**dict.fromkeys(rule.kind.needs), **rule.facts}
    return [
        AskedField(
            name=_FACT + name,
            label=name,
            takes="" if type_ is None else _HOLDS.get(type_, ""),
            choices=_YES_NO if type_ is FactType.BOOLEAN else (),
            value=_again(form, _FACT + name),
        )
        for name, type_ in types.items()
    ]


def _looked(found: Explanation) -> list[tuple[str, str]]:
    words = {True: "yes", False: "no", None: "not known"}
    return [
        (name, words[value] if value is None or isinstance(value, bool) else str(value))
        for name, value in found.looks_at.items()
    ]
