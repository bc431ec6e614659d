"""Reviews: who may decide, in which order a verdict is turned down, and what makes a quorum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.review import Outcome, Review, Verdict, judge, why_not
from handrail.errors import Conflict, HandrailError, NotAllowed

NOW = 1_790_000_000_000
STATEMENT = "5e" * 32

AGENT = Principal(
    desk="main",
    id="agent_1",
    kind=PrincipalKind.AGENT,
    name="Bot",
    identity="agent_1",
    owner="olga",
    operator="oscar",
    deployer="dana",
    created_at=NOW,
)


def _person(name: str, *roles: Role, **changes: Any) -> Principal:
    fields: dict[str, Any] = {
        "desk": "main",
        "id": f"per_{name}",
        "kind": PrincipalKind.PERSON,
        "name": name.title(),
        "identity": name,
        "roles": roles or (Role.REVIEWER, Role.CHECKER),
        "limits": {"USD": 500_000},
        "created_at": NOW,
    }
    return Principal(**{**fields, **changes})


def _proposal(**changes: Any) -> Proposal:
    fields: dict[str, Any] = {
        "desk": "main",
        "id": "hr_1",
        "task": "task_1",
        "agent": AGENT.id,
        "kind": "refund.issue",
        "connector": "billing",
        "state": State.PENDING,
        "version": 1,
        "grade": Grade.G3,
        "control": Control.MAKER_CHECKER,
        "checkers": 1,
        "reasons": "[]",
        "value_minor": 240_000,
        "currency": "USD",
        "subject": "sub_1",
        "key": "k",
        "fingerprint": "f",
        "digest": "d",
        "statement": STATEMENT,
        "policy": "p",
        "created_at": NOW - 1000,
        "updated_at": NOW - 1000,
        "decide_by": NOW + 1000,
    }
    return Proposal(**{**fields, **changes})


def _review(person: str, verdict: Verdict = Verdict.APPROVE, **changes: Any) -> Review:
    fields: dict[str, Any] = {
        "desk": "main",
        "proposal": "hr_1",
        "n": 1,
        "person": f"per_{person}",
        "identity": person,
        "verdict": verdict,
        "statement": STATEMENT,
        "at": NOW - 10,
    }
    return Review(**{**fields, **changes})


def _judge(
    reviewer: Principal | None = None,
    proposal: Proposal | None = None,
    *,
    verdict: Verdict = Verdict.APPROVE,
    makers: frozenset[str] | None = None,
    statement: str = STATEMENT,
    reason: str = "because",
    prior: Sequence[Review] = (),
    now: int = NOW,
) -> Outcome:
    return judge(
        proposal=proposal or _proposal(),
        makers=AGENT.makers() if makers is None else makers,
        reviewer=reviewer or _person("ann"),
        verdict=verdict,
        statement=statement,
        reason=reason,
        prior=prior,
        now=now,
    )


def _code(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(HandrailError) as refusal:
        _judge(*args, **kwargs)
    return refusal.value.code


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

# What is wrong with a verdict, in the order in which it is said. The keys are the error codes.
FLAWS: dict[str, dict[str, Any]] = {
    "not_pending": {"state": State.READY},
    "review_expired": {"now": NOW + 1000},
    "stale_digest": {"statement": "00" * 32},
    "maker_is_checker": {"makers": frozenset({"ann"})},
    "not_entitled": {"limits": {"USD": 1}},
    "reviewed_already": {"prior": [_review("ann")]},
}


@pytest.mark.parametrize("row", OUTCOMES.strip().splitlines())
def test_what_a_verdict_amounts_to(row: str) -> None:
    """One checker is enough here."""
    verdict, outcome = row.split()
    assert _judge(verdict=Verdict(verdict)) is Outcome(outcome)


@pytest.mark.parametrize("row", INDEPENDENCE.strip().splitlines())
def test_a_maker_never_checks(row: str) -> None:
    """Who answers for the agent may not pass its action, whichever name is compared."""
    *_, account, identity, allowed = row.split()
    reviewer = _person("someone", id=account, identity=identity)
    if allowed == "yes":
        assert _judge(reviewer) is Outcome.APPROVED
        assert why_not(_proposal(), AGENT.makers(), reviewer, []) is None
    else:
        assert _code(reviewer) == "maker_is_checker"
        assert why_not(_proposal(), AGENT.makers(), reviewer, []) is not None


@pytest.mark.parametrize(
    "makers", [AGENT.makers(), frozenset[str]()], ids=["makers known", "makers forgotten"]
)
@pytest.mark.parametrize("account", ["per_eve", AGENT.id])
def test_the_row_itself_names_two_makers(makers: frozenset[str], account: str) -> None:
    """The editor and the agent of a proposal are makers even if the caller forgot to say so."""
    edited = _proposal(editor="per_eve")
    assert _code(_person("x", id=account), edited, makers=makers) == "maker_is_checker"
    assert _code(_person("x", identity=account), edited, makers=makers) == "maker_is_checker"


def test_makers_are_everyone_who_answers_for_an_agent() -> None:
    """Account, identity, owner, operator, deployer; what is not set adds nobody."""
    assert AGENT.makers() == {"agent_1", "olga", "oscar", "dana"}
    assert _person("eve").makers() == {"per_eve", "eve"}


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ESCALATE])
def test_a_maker_may_stop_what_it_made(verdict: Verdict) -> None:
    """Stopping needs no independence: an owner who sees a mistake ends it."""
    assert _judge(_person("olga"), verdict=verdict) is not Outcome.APPROVED


@pytest.mark.parametrize("row", AUTHORITY.strip().splitlines())
def test_who_has_the_authority(row: str) -> None:
    """Roles, and limits per currency; no role is above the rules."""
    role, limits, control, *amount, allowed = row.split()
    value = None if amount == ["none"] else (int(amount[0].replace(".", "")), amount[1])
    reviewer = _person(
        "ann",
        roles=() if role == "nothing" else tuple(Role(name) for name in role.split("+")),
        limits={}
        if limits == "none"
        else {pair[:3]: int(pair[4:]) for pair in limits.split(",")},
    )
    proposal = _proposal(
        control=Control(control),
        checkers=1 if control == "maker_checker" else 0,
        value_minor=None if value is None else value[0],
        currency=None if value is None else value[1],
    )
    if allowed == "yes":
        assert _judge(reviewer, proposal) is Outcome.APPROVED
    else:
        assert _code(reviewer, proposal) == "not_entitled"


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize(
    "changes",
    [
        {"disabled": True},
        {"kind": PrincipalKind.AGENT},
        {"kind": PrincipalKind.SERVICE},
        {"roles": (Role.AUDITOR, Role.ADMIN, Role.POLICY_OWNER)},
        {"desk": "other"},
    ],
    ids=repr,
)
def test_only_an_active_person_of_this_desk_who_reviews_has_a_say(
    verdict: Verdict, changes: dict[str, Any]
) -> None:
    """Not a machine, not a former colleague, not another desk: no verdict of theirs counts."""
    assert _code(_person("ann", **changes), verdict=verdict) == "not_entitled"


@pytest.mark.parametrize("state", [state for state in State if state is not State.PENDING])
@pytest.mark.parametrize("verdict", Verdict)
def test_only_what_is_pending_can_be_reviewed(state: State, verdict: Verdict) -> None:
    """In every other state every verdict comes too late, or too early."""
    assert _code(proposal=_proposal(state=state), verdict=verdict) == "not_pending"


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
    proposal = _proposal(decide_by=decide_by)
    if counts:
        assert _judge(proposal=proposal, now=now) is Outcome.APPROVED
    else:
        assert _code(proposal=proposal, now=now) == "review_expired"


@pytest.mark.parametrize("statement", ["", "00" * 32, STATEMENT.upper(), STATEMENT + " "])
def test_a_verdict_on_something_else_is_stale(statement: str) -> None:
    """A review binds exactly the statement that is stored now."""
    assert _code(statement=statement) == "stale_digest"


def test_a_proposal_that_nobody_was_shown_cannot_be_approved() -> None:
    """An empty statement is not matched by an empty answer."""
    assert _code(proposal=_proposal(statement=""), statement="") == "stale_digest"


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("reason", ["", " \n\t", "\u00a0", "\u200b\u2060"])
def test_a_rejection_says_why(verdict: Verdict, reason: str) -> None:
    """Blanks and invisible characters are not a reason; an approval needs none."""
    if verdict in (Verdict.REJECT, Verdict.REQUEST_CHANGES):
        assert _code(verdict=verdict, reason=reason) == "reason_missing"
    else:
        assert _judge(verdict=verdict, reason=reason) in (Outcome.APPROVED, Outcome.ESCALATED)


@pytest.mark.parametrize("earlier", list(FLAWS))
@pytest.mark.parametrize("later", list(FLAWS))
def test_of_two_flaws_the_first_in_the_written_order_is_said(earlier: str, later: str) -> None:
    """All pairs: the code is that of the flaw that stands first."""
    flaws = {**FLAWS[earlier], **FLAWS[later]}
    state = flaws.pop("state", State.PENDING)
    reviewer = _person("ann", limits=flaws.pop("limits", {"USD": 500_000}))
    first = min((earlier, later), key=list(FLAWS).index)
    assert _code(reviewer, _proposal(state=state), **flaws) == first


def test_one_person_has_one_say_on_however_many_accounts() -> None:
    """The identity counts, not the account, and not the verdict given before."""
    second_account = _person("ann", id="per_ann_2")
    for verdict in Verdict:
        assert _code(second_account, prior=[_review("ann")], verdict=verdict) == "reviewed_already"


def test_an_account_that_changed_its_identity_has_no_second_say() -> None:
    """Nor does one account under two identities."""
    renamed = _person("ann", identity="ann-marie")
    assert _code(renamed, prior=[_review("ann")]) == "reviewed_already"


def test_two_checkers_are_two_people() -> None:
    """The first approval waits, the second one passes."""
    proposal = _proposal(checkers=2)
    assert _judge(_person("ann"), proposal) is Outcome.WAITING
    assert _judge(_person("bob"), proposal, prior=[_review("ann")]) is Outcome.APPROVED


# prior approvals: person/identity, with * on another statement | outcome of bob, three needed
QUORUMS = """
-                          waiting
ann/ann                    waiting
ann/ann cy/cy              approved
ann/ann ann2/ann           waiting
ann/ann cy/cy*             waiting
ann/ann* cy/cy*            waiting
ann/ann per_olga/olga      waiting
ann/ann cy/cy dee/dee      approved
"""


@pytest.mark.parametrize("row", QUORUMS.strip().splitlines())
def test_a_quorum_counts_distinct_independent_people_on_this_statement(row: str) -> None:
    """Neither two rows of one person, nor a maker's, nor an approval of something else count."""
    *rows, outcome = row.split()
    prior = []
    for text in rows:
        if text == "-":
            continue
        person, _, identity = text.rstrip("*").partition("/")
        statement = "00" * 32 if text.endswith("*") else STATEMENT
        prior.append(_review(person, identity=identity, statement=statement))
    assert _judge(_person("bob"), _proposal(checkers=3), prior=prior) is Outcome(outcome)


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ESCALATE])
def test_one_rejection_ends_it(verdict: Verdict) -> None:
    """At once, whoever approved before; and no approval after it counts."""
    proposal = _proposal(checkers=2)
    before = [_review("cy")]
    ended = _judge(_person("ann"), proposal, verdict=verdict, prior=before)
    assert ended in (Outcome.REJECTED, Outcome.ESCALATED)
    after = [_review("cy"), _review("ann", verdict)]
    assert _code(_person("bob"), proposal, prior=after) == "not_pending"


def test_why_not_says_what_judge_would_say() -> None:
    """The sentence beside the missing button is that of the refusal."""
    reviewer = _person("ann", Role.REVIEWER)
    with pytest.raises(NotAllowed) as refusal:
        _judge(reviewer)
    assert why_not(_proposal(), AGENT.makers(), reviewer, []) == refusal.value.message
    with pytest.raises(Conflict) as conflict:
        _judge(prior=[_review("ann")])
    said = why_not(_proposal(), AGENT.makers(), _person("ann"), [_review("ann")])
    assert said == conflict.value.message


NAMES = ("ann", "bob", "cy", "olga", "oscar")


@given(
    checkers=st.integers(1, 3),
    steps=st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.sampled_from(Verdict))),
)
def test_whatever_people_do_a_quorum_is_that_many_independent_people(
    checkers: int, steps: list[tuple[str, bool, Verdict]]
) -> None:
    """A story of verdicts, some from second accounts, against a count made by hand."""
    proposal = _proposal(checkers=checkers)
    prior: list[Review] = []
    outcome = Outcome.WAITING
    for name, second, verdict in steps:
        reviewer = _person(name, id=f"per_{name}_2" if second else f"per_{name}")
        try:
            outcome = _judge(reviewer, proposal, verdict=verdict, prior=prior)
        except HandrailError:
            continue
        prior.append(_review(name, verdict, person=reviewer.id, n=len(prior) + 1))
        if outcome is not Outcome.WAITING:
            break
    passed = {review.identity for review in prior if review.verdict is Verdict.APPROVE}
    assert passed <= {"ann", "bob", "cy"}
    if outcome is Outcome.APPROVED:
        assert len(passed) == checkers
        assert all(review.verdict is Verdict.APPROVE for review in prior)
    if outcome is Outcome.WAITING:
        assert len(passed) < checkers


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_bigger_amount_or_a_smaller_limit_never_makes_it_pass(
    amount: int, limit: int, step: int
) -> None:
    """Authority is monotone in both."""

    def passes(minor: int, most: int) -> bool:
        proposal = _proposal(value_minor=minor)
        reviewer = msgspec.structs.replace(_person("ann"), limits={"USD": most})
        return why_not(proposal, AGENT.makers(), reviewer, []) is None

    assert passes(amount, limit) is (amount <= limit)
    assert passes(amount, limit) or not passes(amount + step, max(0, limit - step))
