"""Quorums: how many distinct, independent people it takes, and that one rejection ends it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.review import Outcome, Review, Verdict
from handrail.errors import HandrailError
from tests.core.cast import (
    STATEMENT,
    code_of,
    person_of,
    proposal_of,
    review_by,
    verdict_of,
)


def test_one_person_has_one_say_on_however_many_accounts() -> None:
    """The identity counts, not the account, and not the verdict given before."""
    second_account = person_of("ann", id="per_ann_2")
    for verdict in set(Verdict) - {Verdict.TAKE_BACK}:
        assert (
            code_of(second_account, prior=[review_by("ann")], verdict=verdict) == "reviewed_already"
        )


def test_an_account_that_changed_its_identity_has_no_second_say() -> None:
    """Nor does one account under two identities."""
    renamed = person_of("ann", identity="ann-marie")
    assert code_of(renamed, prior=[review_by("ann")]) == "reviewed_already"


def test_two_checkers_are_two_people() -> None:
    """The first approval waits, the second one passes."""
    proposal = proposal_of(checkers=2)
    assert verdict_of(person_of("ann"), proposal) is Outcome.WAITING
    assert verdict_of(person_of("bob"), proposal, prior=[review_by("ann")]) is Outcome.APPROVED


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
        prior.append(review_by(person, identity=identity, statement=statement))
    assert verdict_of(person_of("bob"), proposal_of(checkers=3), prior=prior) is Outcome(outcome)


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ESCALATE])
def test_one_rejection_ends_it(verdict: Verdict) -> None:
    """At once, whoever approved before; and no approval after it counts."""
    proposal = proposal_of(checkers=2)
    before = [review_by("cy")]
    ended = verdict_of(person_of("ann"), proposal, verdict=verdict, prior=before)
    assert ended in (Outcome.REJECTED, Outcome.ESCALATED)
    after = [review_by("cy"), review_by("ann", verdict)]
    assert code_of(person_of("bob"), proposal, prior=after) == "not_pending"


NAMES = ("ann", "bob", "cy", "olga", "oscar")


@given(
    checkers=st.integers(1, 3),
    steps=st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.sampled_from(Verdict))),
)
def test_whatever_people_do_a_quorum_is_that_many_independent_people(
    checkers: int, steps: list[tuple[str, bool, Verdict]]
) -> None:
    """A story of verdicts, some from second accounts, against a count made by hand."""
    proposal = proposal_of(checkers=checkers)
    prior: list[Review] = []
    outcome = Outcome.WAITING
    for name, second, verdict in steps:
        reviewer = person_of(name, id=f"per_{name}_2" if second else f"per_{name}")
        try:
            outcome = verdict_of(reviewer, proposal, verdict=verdict, prior=prior)
        except HandrailError:
            continue
        prior.append(review_by(reviewer.id, verdict, identity=name, n=len(prior) + 1))
        if outcome is not Outcome.WAITING:
            break
    passed = {review.identity for review in prior if review.verdict is Verdict.APPROVE}
    assert passed <= {"ann", "bob", "cy"}
    if outcome is Outcome.APPROVED:
        assert len(passed) == checkers
        assert all(review.verdict is Verdict.APPROVE for review in prior)
    if outcome is Outcome.WAITING:
        assert len(passed) < checkers
