"""Reviews: who may decide, and in which order a verdict is turned down."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.ground import GROUNDS, TOLD, Ground
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import PrincipalKind, Role
from handrail.core.review import Outcome, Verdict, counted, why_not
from handrail.errors import Conflict, NotAllowed
from tests.core.cast import (
    AGENT,
    NOW,
    STATEMENT,
    code_of,
    person_of,
    proposal_of,
    review_by,
    verdict_of,
)

# verdict | what one person's verdict amounts to
OUTCOMES = """
approve          approved
reject           rejected
request_changes  rejected
escalate         escalated
"""

# who | account id | identity | may approve
INDEPENDENCE = """
a stranger                         per_ann     ann       yes
the agent's account                agent_1     ann       no
the agent's own identity           per_ann     agent_1   no
the owner by identity              per_olga    olga      no
the owner by account id            olga        someone   no
the operator by identity           per_oscar   oscar     no
the operator by account id         oscar       someone   no
the deployer by identity           per_dana    dana      no
the deployer by account id         dana        someone   no
the owner's second account         per_olga_2  olga      no
"""

# roles | limits | control | amount | may approve
AUTHORITY = """
reviewer          USD=100000  approve        999.99 USD   yes
reviewer          USD=100000  approve        1000.00 USD  yes
reviewer          USD=100000  approve        1000.01 USD  no
reviewer          USD=100000  approve        1.00 EUR     no
reviewer          USD=0       approve        0.01 USD     no
reviewer          none        approve        1.00 EUR     yes
reviewer          none        approve        none         yes
reviewer          USD=100000  approve        none         yes
reviewer          USD=900000  maker_checker  1.00 USD     no
reviewer          none        maker_checker  none         no
checker           USD=500000  maker_checker  5000.00 USD  yes
checker           USD=500000  maker_checker  5000.01 USD  no
checker           USD=500000  maker_checker  1.00 EUR     no
checker           EUR=1,USD=9 maker_checker  0.09 USD     yes
checker           EUR=1,USD=9 maker_checker  0.09 EUR     no
checker           none        maker_checker  0.01 USD     no
checker           none        maker_checker  none         yes
checker           USD=500000  approve        1.00 USD     yes
auditor           USD=500000  approve        1.00 USD     no
policy_owner      USD=500000  approve        1.00 USD     no
admin             USD=500000  approve        1.00 USD     no
admin             USD=500000  maker_checker  1.00 USD     no
admin+reviewer    USD=500000  maker_checker  1.00 USD     no
admin+checker     USD=500000  maker_checker  1.00 USD     yes
nothing           USD=500000  approve        1.00 USD     no
"""

# limit | amount | the customer's sum with it | may approve
SUMS = """
100000  99999   none               yes
100000  99999   100000             yes
100000  99999   100001             no
100000  100001  100001             no
100000  100001  5                  no
100000  4900    1000000000000000   yes
none    4900    100001             yes
"""

# What is wrong with a verdict, in the order in which it is said. The keys are the error codes.
FLAWS: dict[str, dict[str, Any]] = {
    "not_pending": {"state": State.READY},
    "review_expired": {"now": NOW + 1000},
    "stale_digest": {"statement": "00" * 32},
    "maker_is_checker": {"makers": frozenset({"ann"})},
    "not_entitled": {"limits": {"USD": 1}},
    "reviewed_already": {"prior": [review_by("ann")]},
}


@pytest.mark.parametrize("row", OUTCOMES.strip().splitlines())
def test_what_a_verdict_amounts_to(row: str) -> None:
    """One checker is enough here."""
    verdict, outcome = row.split()
    assert verdict_of(verdict=Verdict(verdict)) is Outcome(outcome)


@pytest.mark.parametrize("row", INDEPENDENCE.strip().splitlines())
def test_a_maker_never_checks(row: str) -> None:
    """Who answers for the agent may not pass its action, whichever name is compared."""
    *_, account, identity, allowed = row.split()
    reviewer = person_of("someone", id=account, identity=identity)
    if allowed == "yes":
        assert verdict_of(reviewer) is Outcome.APPROVED
        assert why_not(proposal_of(), AGENT.makers(), reviewer, []) is None
    else:
        assert code_of(reviewer) == "maker_is_checker"
        assert why_not(proposal_of(), AGENT.makers(), reviewer, []) is not None


@pytest.mark.parametrize(
    "makers", [AGENT.makers(), frozenset[str]()], ids=["makers known", "makers forgotten"]
)
@pytest.mark.parametrize("account", ["per_eve", AGENT.id])
def test_the_row_itself_names_two_makers(makers: frozenset[str], account: str) -> None:
    """The editor and the agent of a proposal are makers even if the caller forgot to say so."""
    edited = proposal_of(editor="per_eve")
    assert code_of(person_of("x", id=account), edited, makers=makers) == "maker_is_checker"
    assert code_of(person_of("x", identity=account), edited, makers=makers) == "maker_is_checker"


def test_makers_are_everyone_who_answers_for_an_agent() -> None:
    """Account, identity, owner, operator, deployer; what is not set adds nobody."""
    assert AGENT.makers() == {"agent_1", "olga", "oscar", "dana"}
    assert person_of("eve").makers() == {"per_eve", "eve"}


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ESCALATE])
def test_a_maker_may_stop_what_it_made(verdict: Verdict) -> None:
    """Stopping needs no independence: an owner who sees a mistake ends it."""
    assert verdict_of(person_of("olga"), verdict=verdict) is not Outcome.APPROVED


@pytest.mark.parametrize("row", SUMS.strip().splitlines())
@pytest.mark.parametrize("control", [Control.APPROVE, Control.MAKER_CHECKER])
def test_a_limit_is_held_against_the_customer_s_sum(row: str, control: Control) -> None:
    """C1: many small amounts are judged as one, by the bands and by who may decide.

    A sum that cannot be said has brought the strictest guard; the limit is held against the amount.
    """
    limit, amount, total, allowed = row.split()
    reviewer = person_of("ann", limits={} if limit == "none" else {"USD": int(limit)})
    proposal = proposal_of(
        control=control,
        checkers=int(control is Control.MAKER_CHECKER),
        value_minor=int(amount),
        currency="USD",
        sum_minor=None if total == "none" else int(total),
    )
    unlimited = limit == "none" and control is Control.MAKER_CHECKER
    if allowed == "yes" and not unlimited:
        assert verdict_of(reviewer, proposal) is Outcome.APPROVED
    else:
        assert code_of(reviewer, proposal) == "not_entitled"


@pytest.mark.parametrize("row", AUTHORITY.strip().splitlines())
def test_who_has_the_authority(row: str) -> None:
    """Roles, and limits per currency; no role is above the rules."""
    role, limits, control, *amount, allowed = row.split()
    value = None if amount == ["none"] else (int(amount[0].replace(".", "")), amount[1])
    reviewer = person_of(
        "ann",
        roles=() if role == "nothing" else tuple(Role(name) for name in role.split("+")),
        limits={} if limits == "none" else {pair[:3]: int(pair[4:]) for pair in limits.split(",")},
    )
    proposal = proposal_of(
        control=Control(control),
        checkers=1 if control == "maker_checker" else 0,
        value_minor=None if value is None else value[0],
        currency=None if value is None else value[1],
    )
    if allowed == "yes":
        assert verdict_of(reviewer, proposal) is Outcome.APPROVED
    else:
        assert code_of(reviewer, proposal) == "not_entitled"


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize(
    "changes",
    [
        {"disabled": True},
        {"kind": PrincipalKind.AGENT},
        {"roles": (Role.AUDITOR, Role.ADMIN, Role.POLICY_OWNER)},
        {"desk": "other"},
    ],
    ids=repr,
)
def test_only_an_active_person_of_this_desk_who_reviews_has_a_say(
    verdict: Verdict, changes: dict[str, Any]
) -> None:
    """Not a machine, not a former colleague, not another desk: no verdict of theirs counts."""
    assert code_of(person_of("ann", **changes), verdict=verdict) == "not_entitled"


@pytest.mark.parametrize("verdict", Verdict)
def test_a_service_can_only_add_a_stop(verdict: Verdict) -> None:
    """D13: a machine's opinion may say no, with a role; it never counts towards a quorum."""
    service = person_of("model", kind=PrincipalKind.SERVICE)
    if verdict is Verdict.APPROVE:
        assert code_of(service, verdict=verdict) == "not_entitled"
    elif verdict is Verdict.TAKE_BACK:
        assert code_of(service, verdict=verdict) == "nothing_to_take_back"
    else:
        assert verdict_of(service, verdict=verdict) in (Outcome.REJECTED, Outcome.ESCALATED)
    nobody = person_of("model", kind=PrincipalKind.SERVICE, roles=(Role.AUDITOR,))
    assert code_of(nobody, verdict=verdict) == "not_entitled"


_SENT = (State.EXECUTING, State.UNKNOWN, State.SUCCEEDED, State.FAILED)
_TOO_LATE = dict.fromkeys(_SENT, "take_back_too_late") | {State.READY: "nothing_to_take_back"}


@pytest.mark.parametrize("state", [state for state in State if state is not State.PENDING])
@pytest.mark.parametrize("verdict", Verdict)
def test_only_what_is_pending_can_be_reviewed(state: State, verdict: Verdict) -> None:
    """In every other state every verdict comes too late, or too early."""
    expected = "not_pending"
    if verdict is Verdict.TAKE_BACK:
        expected = _TOO_LATE.get(state, "not_pending")
    assert code_of(proposal=proposal_of(state=state), verdict=verdict) == expected


@pytest.mark.parametrize(
    ("decide_by", "now", "counts"),
    [
        (NOW, NOW - 1, True),
        (NOW, NOW, False),
        (NOW, NOW + 1, False),
        (None, NOW, False),
    ],
)
def test_a_verdict_counts_until_the_time_has_run_out(
    decide_by: int | None, now: int, counts: bool
) -> None:
    """At the very millisecond it has; without a deadline an approval would not be bounded."""
    proposal = proposal_of(decide_by=decide_by)
    if counts:
        assert verdict_of(proposal=proposal, now=now) is Outcome.APPROVED
    else:
        assert code_of(proposal=proposal, now=now) == "review_expired"


@pytest.mark.parametrize("statement", ["", "00" * 32, STATEMENT.upper(), STATEMENT + " "])
def test_a_verdict_on_something_else_is_stale(statement: str) -> None:
    """A review binds exactly the statement that is stored now."""
    assert code_of(statement=statement) == "stale_digest"


def test_a_proposal_that_nobody_was_shown_cannot_be_approved() -> None:
    """An empty statement is not matched by an empty answer."""
    assert code_of(proposal=proposal_of(statement=""), statement="") == "stale_digest"


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("reason", ["", " \n\t", "\u00a0", "\u200b\u2060"])
def test_a_rejection_says_why(verdict: Verdict, reason: str) -> None:
    """Blanks and invisible characters are not a reason; an approval needs none."""
    if verdict in (Verdict.REJECT, Verdict.REQUEST_CHANGES):
        assert code_of(verdict=verdict, reason=reason) == "reason_missing"
    elif verdict is Verdict.TAKE_BACK:
        prior = [review_by("ann")]
        assert verdict_of(verdict=verdict, reason=reason, prior=prior) is Outcome.TAKEN_BACK
    else:
        assert verdict_of(verdict=verdict, reason=reason) in (Outcome.APPROVED, Outcome.ESCALATED)


# what was said before, by whom | what ann's taking back comes to
TAKING_BACK = """
ann:approve                                              taken_back
-                                                        nothing_to_take_back
bob:approve                                              nothing_to_take_back
ann:approve ann:take_back                                nothing_to_take_back
ann:approve ann:take_back ann:approve                    taken_back
ann:approve bob:approve                                  taken_back
ann:approve bob:approve ann:take_back                    nothing_to_take_back
ann:approve bob:approve bob:take_back                    taken_back
ann:reject                                               nothing_to_take_back
"""


@pytest.mark.parametrize("state", [State.PENDING, State.READY])
@pytest.mark.parametrize("row", TAKING_BACK.strip().splitlines())
def test_who_approved_takes_back_their_own_approval(row: str, state: State) -> None:
    """Their own, once each; what others said stands. Not on another statement, nor once sent."""
    said, expected = row.rsplit(maxsplit=1)
    prior = [
        review_by(one.partition(":")[0], Verdict(one.partition(":")[2]), n=n)
        for n, one in enumerate(said.split(), start=1)
        if one != "-"
    ]
    about: dict[str, Any] = {"verdict": Verdict.TAKE_BACK, "prior": prior}
    proposal = proposal_of(state=state)
    if expected == "taken_back":
        assert verdict_of(proposal=proposal, **about) is Outcome.TAKEN_BACK
        assert code_of(proposal=proposal, statement="00" * 32, **about) == "stale_digest"
        tried = proposal_of(state=State.READY, attempt=1)
        assert code_of(proposal=tried, **about) == "take_back_too_late"
    else:
        assert code_of(proposal=proposal, **about) == expected


def test_what_was_taken_back_counts_no_more() -> None:
    """Two checkers: one takes their approval back, and it takes two again; both may give it."""
    proposal = proposal_of(checkers=2)
    prior = [review_by("ann"), review_by("ann", Verdict.TAKE_BACK, n=2)]
    assert counted(prior) == []
    assert verdict_of(person_of("bob"), proposal, prior=prior) is Outcome.WAITING
    prior.append(review_by("bob", n=3))
    assert verdict_of(person_of("ann"), proposal, prior=prior) is Outcome.APPROVED
    assert code_of(person_of("bob"), proposal, prior=prior) == "reviewed_already"


@pytest.mark.parametrize("ground", Ground)
def test_a_ground_says_why_and_something_else_needs_words(ground: Ground) -> None:
    """A rejection names one of a fixed list; only `other` has to be put into words."""
    assert verdict_of(verdict=Verdict.REJECT, ground=ground) is Outcome.REJECTED
    if ground is Ground.OTHER:
        assert code_of(verdict=Verdict.REJECT, ground=ground, reason=" ") == "reason_missing"
    else:
        assert verdict_of(verdict=Verdict.REJECT, ground=ground, reason="") is Outcome.REJECTED
    wish = {"verdict": Verdict.REQUEST_CHANGES, "ground": ground, "reason": ""}
    assert code_of(**wish) == "reason_missing"
    assert set(TOLD) < set(GROUNDS) == set(Ground)


@pytest.mark.parametrize("earlier", list(FLAWS))
@pytest.mark.parametrize("later", list(FLAWS))
def test_of_two_flaws_the_first_in_the_written_order_is_said(earlier: str, later: str) -> None:
    """All pairs: the code is that of the flaw that stands first."""
    flaws = {**FLAWS[earlier], **FLAWS[later]}
    state = flaws.pop("state", State.PENDING)
    reviewer = person_of("ann", limits=flaws.pop("limits", {"USD": 500_000}))
    first = min((earlier, later), key=list(FLAWS).index)
    assert code_of(reviewer, proposal_of(state=state), **flaws) == first


REJECTION_FLAWS: dict[str, dict[str, Any]] = {
    "not_pending": {"state": State.EXPIRED},
    "review_expired": {"now": NOW + 1000},
    "stale_digest": {"statement": "00" * 32},
    "reason_missing": {"reason": " "},
    "not_entitled": {"roles": (Role.AUDITOR,)},
    "reviewed_already": {"prior": [review_by("ann")]},
}


@pytest.mark.parametrize("earlier", list(REJECTION_FLAWS))
@pytest.mark.parametrize("later", list(REJECTION_FLAWS))
def test_a_rejection_is_turned_down_in_the_same_order(earlier: str, later: str) -> None:
    """All pairs again, for a verdict that needs a reason and no independence."""
    flaws = {**REJECTION_FLAWS[earlier], **REJECTION_FLAWS[later]}
    proposal = proposal_of(state=flaws.pop("state", State.PENDING))
    reviewer = person_of("ann", roles=flaws.pop("roles", (Role.REVIEWER,)))
    first = min((earlier, later), key=list(REJECTION_FLAWS).index)
    assert code_of(reviewer, proposal, verdict=Verdict.REJECT, **flaws) == first


def test_why_not_says_what_judge_would_say() -> None:
    """The sentence beside the missing button is that of the refusal."""
    reviewer = person_of("ann", Role.REVIEWER)
    with pytest.raises(NotAllowed) as refusal:
        verdict_of(reviewer)
    assert why_not(proposal_of(), AGENT.makers(), reviewer, []) == refusal.value.message
    with pytest.raises(Conflict) as conflict:
        verdict_of(prior=[review_by("ann")])
    said = why_not(proposal_of(), AGENT.makers(), person_of("ann"), [review_by("ann")])
    assert said == conflict.value.message


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_bigger_amount_or_a_smaller_limit_never_makes_it_pass(
    amount: int, limit: int, step: int
) -> None:
    """Authority is monotone in both."""

    def passes(minor: int, most: int) -> bool:
        proposal = proposal_of(value_minor=minor)
        reviewer = msgspec.structs.replace(person_of("ann"), limits={"USD": most})
        return why_not(proposal, AGENT.makers(), reviewer, []) is None

    assert passes(amount, limit) is (amount <= limit)
    assert passes(amount, limit) or not passes(amount + step, max(0, limit - step))
