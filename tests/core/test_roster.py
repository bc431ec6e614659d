"""The people of a desk by natural person, and how far "who answers for it" reaches."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.breakglass import Grant
from handrail.core.policy import Control
from handrail.core.principal import PrincipalKind, Role
from handrail.core.review import Bench, able, check_reviewer, why_not
from handrail.core.review import Verdict as V
from handrail.core.roster import Roster
from handrail.errors import HandrailError
from tests.core.cast import NOW, person_of, proposal_of, review_by

AT = NOW - 1000
"""When the action of the tests was proposed."""

# account | identity | mail | customers | agents: name | owner | operator | deployer | acts for
PEOPLE = """
ann     ann    -    -
bob     bob    m1   -
bob2    bob2   m1   -
bob3    bob2   -    -
carl    carl   -    sub_9
cora    cora   m2   -
cora2   cora   -    sub_7
dan     dan    -    -
"""
AGENTS = """
agent_1 ann    -      -    -
agent_2 -      bob    -    -
agent_3 -      -      dan  -
agent_4 cora   -      -    agent_1
agent_5 -      -      -    agent_4
agent_6 -      -      -    carl
agent_7 -      -      -    agent_8
agent_8 ann    -      -    agent_9
agent_9 -      -      -    agent_7
"""

# agent | reviewers who may not pass what it makes
MAKERS = """
agent_1   ann
agent_2   bob bob2 bob3
agent_3   dan
agent_4   ann cora cora2
agent_5   ann cora cora2
agent_6   carl
agent_7   ann
"""


def _or_none(text: str) -> str | None:
    return None if text == "-" else text


def roster_of(**changed: dict[str, Any]) -> Roster:
    """The desk of the tables; `changed` replaces fields of one of them by id."""
    found = []
    for row in PEOPLE.strip().splitlines():
        id, identity, mail, customer = row.split()
        subjects = () if customer == "-" else (customer,)
        fields: dict[str, Any] = {
            "identity": identity,
            "mail": _or_none(mail),
            "subjects": subjects,
        }
        found.append(person_of(id, id=id, **fields | changed.get(id, {})))
    for row in AGENTS.strip().splitlines():
        id, owner, operator, deployer, delegator = row.split()
        fields = {
            "owner": _or_none(owner),
            "operator": _or_none(operator),
            "deployer": _or_none(deployer),
            "delegator": _or_none(delegator),
        }
        known: dict[str, Any] = {"kind": PrincipalKind.AGENT, "identity": id, "roles": ()}
        found.append(person_of(id, id=id, **known | fields | changed.get(id, {})))
    return Roster(found)


def refusal(
    reviewer: str, agent: str = "agent_1", *, roster: Roster | None = None, **more: Any
) -> str:
    """The code with which an approval is turned down, or `passes`."""
    people = roster or roster_of()
    bench = Bench(roster=people, **{name: more.pop(name) for name in tuple(more) if name in BENCH})
    prior = more.pop("prior", ())
    verdict = more.pop("verdict", V.APPROVE)
    proposal = proposal_of(agent=agent, **more)
    account = next(one for one in people.everybody if one.id == reviewer)
    makers = people.makers((agent,), proposal.created_at)
    try:
        check_reviewer(proposal, makers, account, verdict, prior, bench)
    except HandrailError as error:
        return error.code
    return "passes"


BENCH = ("touched", "seasoning_ms", "grants", "since")
EVERYBODY = [row.split()[0] for row in PEOPLE.strip().splitlines()]


@pytest.mark.parametrize("row", MAKERS.strip().splitlines())
def test_makers_are_closed_over_everything(row: str) -> None:
    """D1, D2, D4: owner, operator, deployer, whom it acts for, and all accounts of each."""
    agent, *makers = row.split()
    cyclic = agent == "agent_7"
    for name in EVERYBODY:
        expected = "maker_is_checker" if name in makers else "passes"
        if cyclic and name not in makers:
            expected = "delegation_cycle"
        assert refusal(name, agent) == expected, name


def test_a_circle_of_agents_is_passed_by_nobody() -> None:
    """D4: A acts for B, B for C and C for A: nobody answers for what they do."""
    roster = roster_of()
    circles = {f"agent_{n}": roster.acts_in_a_circle(f"agent_{n}") for n in range(1, 10)}
    assert [name for name, circle in circles.items() if circle] == ["agent_7", "agent_8", "agent_9"]
    assert roster_of(agent_1={"delegator": "agent_1"}).acts_in_a_circle("agent_1")
    assert refusal("dan", "agent_9") == "delegation_cycle"
    assert refusal("dan", "agent_9", verdict=V.REJECT) == "passes"


@pytest.mark.parametrize(
    ("until", "said"), [(AT, "maker_is_checker"), (AT + 5, "maker_is_checker"), (AT - 1, "passes")]
)
@pytest.mark.parametrize("who", ["owner", "own identity", "own mail"])
def test_what_was_taken_away_still_counts_for_older_actions(
    who: str, until: int, said: str
) -> None:
    """D7: an owner changed, or an account renamed, to reach a quorum reaches none."""
    former: dict[str, dict[str, Any]] = {
        "owner": {"agent_1": {"owner": "cora", "former": {"dan": until}}},
        "own identity": {"dan": {"former": {"ann": until}}},
        "own mail": {"ann": {"mail": "m5"}, "dan": {"former": {"mail:m5": until}}},
    }
    assert refusal("dan", roster=roster_of(**former[who])) == said


# reviewer | what the action touches | outcome
BENEFICIARIES = """
dan     sub_7     passes
cora2   sub_7     beneficiary_conflict
cora    sub_7     beneficiary_conflict
carl    sub_9     beneficiary_conflict
cora    mail:m2   beneficiary_conflict
cora2   mail:m2   beneficiary_conflict
bob3    mail:m1   beneficiary_conflict
bob     mail:m2   passes
"""


@pytest.mark.parametrize("row", BENEFICIARIES.strip().splitlines())
def test_nobody_decides_about_their_own_account(row: str) -> None:
    """D5: on none of their accounts, and by none of their addresses; saying no is open to them."""
    reviewer, touched, said = row.split()
    about = frozenset({touched, "sub_1"})
    assert refusal(reviewer, touched=about) == said
    assert refusal(reviewer, touched=about, verdict=V.REJECT) == "passes"


def test_an_account_that_was_one_s_own_when_it_was_proposed() -> None:
    """D5, D7: giving it up afterwards makes nobody independent."""
    roster = roster_of(dan={"former": {"sub_1": AT}})
    assert refusal("dan", roster=roster, touched=frozenset({"sub_1"})) == "beneficiary_conflict"
    roster = roster_of(dan={"former": {"sub_1": AT - 1}})
    assert refusal("dan", roster=roster, touched=frozenset({"sub_1"})) == "passes"


# granted_at less when it was proposed | seasoning | control | outcome
SEASONING = """
0      0     maker_checker  passes
1      0     maker_checker  not_seasoned
1      0     approve        passes
-10    10    maker_checker  passes
-9     10    maker_checker  not_seasoned
-9     10    approve        passes
"""


@pytest.mark.parametrize("row", SEASONING.strip().splitlines())
def test_a_role_that_is_too_new_does_not_check(row: str) -> None:
    """D7: what was granted after the action, or not long enough before, counts for no checker."""
    granted, seasoning, control, said = row.split()
    roster = roster_of(dan={"granted_at": AT + int(granted)})
    more: dict[str, Any] = {"seasoning_ms": int(seasoning), "control": Control(control)}
    assert refusal("dan", roster=roster, **more) == said
    assert refusal("dan", roster=roster, verdict=V.REJECT, **more) == "passes"


def test_an_edit_does_not_make_an_action_younger() -> None:
    """D7: who came between the first proposal and its edit came too late."""
    roster = roster_of(dan={"granted_at": AT - 50})
    assert refusal("dan", roster=roster) == "passes"
    assert refusal("dan", roster=roster, since=AT - 100) == "not_seasoned"


def test_break_glass_lifts_the_role_and_its_age_and_nothing_else() -> None:
    """D12: no independence, no limit, and nothing when a maker has confirmed it."""
    new = {"roles": (), "granted_at": NOW}
    grant = Grant(
        desk="main", id="bg_1", person="dan", span_ms=1, asked_at=NOW, confirmed_by="carl"
    )
    roster, grants = roster_of(dan=new), {"dan": grant}
    assert refusal("dan", roster=roster) == "not_entitled"
    assert refusal("dan", roster=roster, grants=grants) == "passes"
    assert refusal("dan", "agent_3", roster=roster, grants=grants) == "maker_is_checker"
    assert refusal("dan", "agent_6", roster=roster, grants=grants) == "not_entitled"
    touched = frozenset({"sub_1"})
    own = roster_of(dan={**new, "subjects": ("sub_1",)})
    assert refusal("dan", roster=own, grants=grants, touched=touched) == "beneficiary_conflict"
    poor = roster_of(dan={**new, "limits": {"USD": 239_999}})
    assert refusal("dan", roster=poor, grants=grants) == "not_entitled"


def test_only_the_drawn_approve_and_anybody_may_say_no() -> None:
    """L4, D9: the lot decides who approves; on which of their accounts makes no difference."""
    drawn: dict[str, Any] = {"assigned": "bob2,carl"}
    assert refusal("carl", **drawn) == "passes"
    assert refusal("bob", **drawn) == "passes"
    assert refusal("dan", **drawn) == "not_assigned"
    assert refusal("dan", verdict=V.REJECT, **drawn) == "passes"
    said = why_not(
        proposal_of(assigned="carl"), frozenset(), person_of("dan"), (), Bench(roster=roster_of())
    )
    assert said == "it was given by lot to Carl"


def test_a_second_account_by_address_has_no_second_say() -> None:
    """D2: `bob` and `bob3` are one person by way of `bob2`; their two approvals are one."""
    prior = [msgspec.structs.replace(review_by("bob"), person="bob")]
    assert refusal("bob3", prior=prior) == "reviewed_already"
    assert refusal("dan", prior=prior) == "passes"


def test_who_could_decide_is_counted_in_persons() -> None:
    """D8: an account a person, and only of those who may."""
    roster = roster_of(dan={"roles": (Role.REVIEWER,)}, carl={"disabled": True})
    proposal = proposal_of(agent="agent_1")
    makers = roster.makers(("agent_1",), AT)
    found = able(proposal, makers, Bench(roster=roster), without=frozenset())
    assert [one.id for one in found] == ["bob", "cora"]
    found = able(proposal, makers, Bench(roster=roster), without=roster.names("cora2"))
    assert [one.id for one in found] == ["bob"]


@given(st.permutations([*PEOPLE.strip().splitlines(), *AGENTS.strip().splitlines()]))
def test_the_order_of_the_rows_makes_no_difference(rows: list[str]) -> None:
    """Who is one person, and who answers for what, follows from the set alone."""
    usual = roster_of()
    by_id = {one.id: one for one in usual.everybody}
    mixed = Roster(by_id[row.split()[0]] for row in rows)
    for id in by_id:
        assert mixed.names(id) == usual.names(id)
        assert mixed.makers((id,)) == usual.makers((id,))


WIDER: list[tuple[dict[str, Any], bool]] = [
    ({"id": "per_ann"}, False),
    ({"roles": (Role.REVIEWER,)}, False),
    ({"roles": (Role.REVIEWER, Role.CHECKER, Role.ADMIN)}, True),
    ({"limits": {"USD": 499_999}}, False),
    ({"limits": {"USD": 500_001}}, True),
    ({"limits": {"USD": 1, "EUR": 1}}, True),
    ({"limits": {}}, True),
    ({"disabled": True}, False),
    ({"identity": "other"}, True),
    ({"mail": None}, True),
    ({"subjects": ()}, True),
    ({"subjects": ("sub_1", "sub_2")}, False),
]


@pytest.mark.parametrize(("changes", "wider"), WIDER, ids=repr)
def test_what_widens_somebody(changes: dict[str, Any], wider: bool) -> None:
    """More roles, higher limits, and everything that makes them somebody else."""
    before = person_of("ann", mail="m", subjects=("sub_1",))
    after = person_of("ann", **{"mail": "m", "subjects": ("sub_1",), **changes})
    assert after.widens(before) is wider
    disabled = person_of("ann", disabled=True)
    assert person_of("ann").widens(disabled)
