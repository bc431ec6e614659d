"""What a policy asks that its connectors do not serve, or that its people could never keep."""

from __future__ import annotations

from typing import Any, Final

import pytest

from handrail.bootstrap import embedded_offers
from handrail.core.policy import FactType, Policy
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.roster import Roster
from handrail.engine.asking.quorum import gaps_of
from handrail.policy.around import Around, Offer
from handrail.policy.loader import load_text, problems_of, source_text
from handrail.policy.packs import pack_names
from handrail.policy.problem import Severity
from tests.policy.sample import GOOD, line_with

SERVED: Final = Offer(
    undoable=True, facts={"order_owner": FactType.TEXT, "refundable": FactType.MONEY}
)
NO_FACTS: Final = Offer(facts={})
KINDS: Final = ("refund.issue", "refund.reverse", "ticket.read")


def offers(**changes: Offer | None) -> Around:
    """The sample's kinds as a connector serves them, and what is different."""
    kinds = {"refund.issue": SERVED, "refund.reverse": NO_FACTS, "ticket.read": NO_FACTS}
    changed = {name.replace("_", "."): offer for name, offer in changes.items()}
    known = {**kinds, **changed}
    return Around(offers={"desk": {k: v for k, v in known.items() if v is not None}})


def said(text: str, around: Around) -> list[tuple[int, str, str]]:
    """Every problem of a policy on its desk: line, severity and sentence."""
    return [(one.line, one.severity.value, one.text) for one in problems_of(text, lambda _: around)]


FACTS: Final = """    facts: {refundable: money}
    checks:
      left:
        require: params.amount.minor <= facts.refundable.minor
        otherwise: hold
        reviewer: More than is left.
"""
NEEDS: Final = "needs: [order_owner, refundable]"
WITH_FACTS: Final = GOOD.replace(f"    {NEEDS}\n", "").replace(
    "    undo: refund.reverse\n", FACTS + "    undo: refund.reverse\n"
)

# the policy | what is offered otherwise | words of the line | severity | the problem
ROWS: Final[list[tuple[str, dict[str, Any], str, str, str]]] = [
    (GOOD, {"ticket_read": None}, "connector: desk", "error",
     "connector `desk` does not serve `ticket.read`"),
    (GOOD, {"refund_issue": Offer()}, "undo: refund.reverse", "error",
     "connector `desk` does not promise to undo `refund.issue`, so it may not run and notify"),
    (GOOD.replace("control: run_and_notify", "control: hold_and_recall"),
     {"refund_issue": Offer()}, "undo: refund.reverse", "warning",
     "connector `desk` does not promise to undo `refund.issue`"),
    (WITH_FACTS, {"refund_issue": Offer(undoable=True, facts={})}, "facts:", "error",
     "connector `desk` reads no fact `refundable` for `refund.issue`"),
    (WITH_FACTS, {"refund_issue": Offer(undoable=True, facts={"refundble": FactType.MONEY})},
     "facts:", "error", "connector `desk` reads no fact `refundable` for `refund.issue`"
     " (did you mean `refundble`?)"),
    (WITH_FACTS, {"refund_issue": Offer(undoable=True, facts={"refundable": FactType.TEXT})},
     "facts:", "error", "the fact `refundable` is of type text, and not money"),
    (WITH_FACTS.replace("runs_in: gateway", "runs_in: agent"), {}, "facts:", "error",
     "`refund.issue` runs in the agent: nobody reads the fact `refundable`"),
    (GOOD.replace(NEEDS, "needs: [weather]"), {}, "needs:", "error",
     "connector `desk` reads no fact `weather` for `refund.issue`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "changes", "words", "severity", "problem"), ROWS)
def test_what_no_connector_serves(
    text: str, changes: dict[str, Any], words: str, severity: str, problem: str
) -> None:
    """Each row is one rule, named with its line; the same policy is fine with what it asks for."""
    found = said(text, offers(**changes))
    if "ticket_read" in changes:
        assert [(one[1], one[2]) for one in found] == [(severity, problem)]
    else:
        assert found == [(line_with(text, words), severity, problem)]
    served = Offer(undoable=True, facts={**(SERVED.facts or {}), "weather": FactType.TEXT})
    if "runs in the agent" not in problem:
        assert said(text, offers(refund_issue=served)) == []
    assert said(text, Around()) == []


def test_who_does_not_say_which_facts_it_reads_is_believed() -> None:
    """An older connector: its facts are seen when they are read."""
    assert said(WITH_FACTS, offers(refund_issue=Offer(undoable=True))) == []


@pytest.mark.parametrize("pack", pack_names())
def test_the_embedded_desk_serves_every_pack(pack: str) -> None:
    """Kinds, undos and facts of the packs are those of the desk that comes with them."""
    around = Around(offers=embedded_offers())
    assert said(source_text(pack), around) == []


def person(id: str, *roles: Role) -> Principal:
    """Somebody of the desk."""
    return Principal(
        desk="main",
        id=id,
        kind=PrincipalKind.PERSON,
        name=id,
        identity=id,
        roles=roles,
        created_at=1,
    )


def agent(owner: str) -> Principal:
    """An agent and whose it is."""
    return Principal(
        desk="main",
        id="bot",
        kind=PrincipalKind.AGENT,
        name="bot",
        identity="bot",
        owner=owner,
        created_at=1,
    )


TWO: Final = "`refund.issue` from 1000.01 USD on needs 2 independent people who may check it"

# who is there | the problem, or nothing
PEOPLE: Final[list[tuple[tuple[Principal, ...], str, str]]] = [
    ((), "", ""),
    ((person("ann", Role.CHECKER),), "error", f"{TWO}, and there are 1"),
    ((person("ann", Role.CHECKER), person("bea", Role.REVIEWER)), "error", f"{TWO}, and there are"
     " 1"),
    ((person("ann", Role.CHECKER), person("bea", Role.CHECKER)), "", ""),
    ((person("ann", Role.CHECKER), person("bea", Role.CHECKER), agent("ann")), "error",
     f"{TWO}, and there are 1"),
    ((person("ann", Role.CHECKER), person("bea", Role.CHECKER), person("cy", Role.CHECKER),
      agent("ann")), "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("people", "severity", "problem"), PEOPLE)
def test_what_the_people_could_never_keep(
    people: tuple[Principal, ...], severity: str, problem: str
) -> None:
    """D8: a quorum larger than the roster, and a checker who is the owner, with the kind's line."""
    roster = Roster(people)

    def around(policy: Policy) -> Around:
        return Around(gaps=gaps_of(policy, roster))

    found = [(one.severity.value, one.text) for one in problems_of(GOOD, around)]
    assert found == ([(severity, problem)] if problem else [])
    if problem:
        assert problems_of(GOOD, around)[0].line == line_with(GOOD, "  refund.issue:")


def test_an_agent_whose_owner_is_the_checker() -> None:
    """D1: where one agent's actions could be checked and another's never, it is a warning."""
    other = Principal(
        desk="main",
        id="own",
        kind=PrincipalKind.AGENT,
        name="own",
        identity="own",
        owner="ann",
        created_at=1,
    )
    free = Principal(
        desk="main",
        id="free",
        kind=PrincipalKind.AGENT,
        name="free",
        identity="free",
        owner="zoe",
        created_at=1,
    )
    people = (person("ann", Role.CHECKER), person("bea", Role.CHECKER), other, free)
    policy = load_text(GOOD, source="p")
    (gap,) = gaps_of(policy, Roster(people))
    assert not gap.never
    assert gap.text == f"{TWO}, and for `own` there are 1: the others own, operate or deploy it"
    (problem,) = problems_of(GOOD, lambda _: Around(gaps=(gap,)))
    assert problem.severity is Severity.WARNING
