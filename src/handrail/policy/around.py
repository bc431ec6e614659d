"""What stands around a policy, as far as it is known: what is served, and who the people are.

A policy can be read without any of it. With it, lint also says what could never work on this desk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from handrail.core.policy import Control, FactType, KindRule, Policy
from handrail.policy.problem import Path
from handrail.policy.reading import suggestion

__all__ = ["Around", "Gap", "Offer", "offer_problems", "surroundings"]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector does for one kind: whether it can undo it, and which facts it reads.

    `facts` is None for a connector that does not say.
    """

    undoable: bool = False
    facts: Mapping[str, FactType] | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What the people of a desk could not keep of a policy; `never` where nobody ever could.

    Otherwise it concerns some agents alone.
    """

    kind: str
    text: str
    never: bool


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """Offers by connector and kind, None where connectors are not known; and the people's gaps."""

    offers: Mapping[str, Mapping[str, Offer]] | None = None
    gaps: tuple[Gap, ...] = ()


def surroundings(policy: Policy, around: Around) -> Iterator[tuple[Path, str, bool]]:
    """Each thing that does not fit its surroundings: its place, a sentence, whether it is an error.

    What is no error can work, and is probably not meant.
    """
    for gap in around.gaps:
        yield ("kinds", gap.kind), gap.text, gap.never
    if around.offers is None:
        return
    for rule in policy.kinds.values():
        if rule.kind.runs_in_agent:
            yield from _read_by_nobody(rule)
            continue
        offer = around.offers.get(rule.kind.connector, {}).get(rule.kind.name)
        for path, text in offer_problems(rule, offer):
            yield path, text, path[-1] != "undo" or _notifies(rule)


def offer_problems(rule: KindRule, offer: Offer | None) -> Iterator[tuple[Path, str]]:
    """What a kind asks of its connector that this does not offer."""
    kind, path = rule.kind, ("kinds", rule.kind.name)
    if offer is None:
        yield (*path, "connector"), f"connector `{kind.connector}` does not serve `{kind.name}`"
        return
    if kind.undo is not None and not offer.undoable:
        text = f"connector `{kind.connector}` does not promise to undo `{kind.name}`"
        yield (*path, "undo"), text + (", so it may not run and notify" if _notifies(rule) else "")
    if offer.facts is None:
        return
    for name, type_ in rule.facts.items():
        read = offer.facts.get(name)
        if read is None:
            hint = suggestion(name, offer.facts)
            said = f"connector `{kind.connector}` reads no fact `{name}` for `{kind.name}`{hint}"
            yield (*path, "facts", name), said
        elif read is not type_:
            said = f"the fact `{name}` is of type {read.value}, and not {type_.value}"
            yield (*path, "facts", name), said
    for place, name in enumerate(kind.needs):
        if name not in offer.facts:
            hint = suggestion(name, offer.facts)
            said = f"connector `{kind.connector}` reads no fact `{name}` for `{kind.name}`{hint}"
            yield (*path, "needs", place), said


def _read_by_nobody(rule: KindRule) -> Iterator[tuple[Path, str, bool]]:
    path = ("kinds", rule.kind.name)
    for name in rule.facts:
        said = f"`{rule.kind.name}` runs in the agent: nobody reads the fact `{name}`"
        yield (*path, "facts", name), said, True


def _notifies(rule: KindRule) -> bool:
    bands = [band for ladder in rule.bands.values() for band in ladder]
    guards = [band.guard for band in bands] or [rule.guard]
    if rule.cleared is not None:
        ladders = rule.cleared.bands.values()
        guards += [band.guard for ladder in ladders for band in ladder] or [rule.cleared.guard]
    return any(guard.control is Control.RUN_AND_NOTIFY for guard in guards)
