"""The packs of a support desk are the table of the specification, row by row."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from handrail.core.decide import Ask, Decider, ReasonCode, compile_policy
from handrail.core.grade import Grade
from handrail.core.money import Money
from handrail.core.policy import Control
from handrail.errors import NotFound
from handrail.policy.loader import load, problems_of
from handrail.policy.packs import pack_names, pack_text

# kind, amount, grade, control, checkers
TABLE: Final = """
ticket.read     -            G0  run_and_log     0
kb.search       -            G0  run_and_log     0
reply.draft     -            G1  run_and_notify  0
reply.send      -            G2  approve         0
refund.issue    0.01 USD     G2  run_and_notify  0
refund.issue    49.99 USD    G2  run_and_notify  0
refund.issue    50.00 USD    G2  run_and_notify  0
refund.issue    50.01 USD    G2  approve         0
refund.issue    999.99 USD   G2  approve         0
refund.issue    1000.00 USD  G2  approve         0
refund.issue    1000.01 USD  G3  maker_checker   1
refund.issue    4999.99 USD  G3  maker_checker   1
refund.issue    5000.00 USD  G3  maker_checker   1
refund.issue    5000.01 USD  G3  maker_checker   2
refund.issue    -            G3  maker_checker   2
refund.issue    1 JPY        G3  maker_checker   2
refund.issue    0.01 CHF     G3  maker_checker   2
credit.grant    49.99 USD    G2  run_and_notify  0
credit.grant    50.00 USD    G2  run_and_notify  0
credit.grant    50.01 USD    G2  approve         0
credit.grant    1000.00 USD  G2  approve         0
credit.grant    1000.01 USD  G3  maker_checker   1
credit.grant    5000.00 USD  G3  maker_checker   1
credit.grant    5000.01 USD  G3  maker_checker   2
credit.grant    1 JPY        G3  maker_checker   2
account.update  -            G2  approve         0
account.cancel  -            G3  maker_checker   1
payout.change   -            G3  maker_checker   1
login.change    -            G3  maker_checker   1
"""
ROWS: Final = [line.rsplit(maxsplit=3) for line in TABLE.strip().splitlines()]


# The same, once every check passed, nothing is missing, and nothing was found in the text.
CLEARED: Final = """
ticket.read     -            G0  run_and_log      0
reply.draft     -            G1  run_and_notify   0
reply.send      -            G2  hold_and_recall  0
refund.issue    50.00 USD    G2  run_and_notify   0
refund.issue    50.01 USD    G2  approve          0
refund.issue    5000.01 USD  G3  maker_checker    2
account.update  -            G2  approve          0
"""


@pytest.fixture(scope="module", name="decider", params=["support-desk", "support-desk-recall"])
def support_desk(request: pytest.FixtureRequest) -> Decider:
    """The compiled pack: not cleared, both say the same."""
    return compile_policy(load(request.param))


@pytest.mark.parametrize(
    ("action", "grade", "control", "checkers"), ROWS, ids=[row[0] for row in ROWS]
)
def test_action_gets_the_control_of_the_table(
    decider: Decider, action: str, grade: str, control: str, checkers: str
) -> None:
    """Each row of the table, at and around every limit."""
    kind, amount = action.split(maxsplit=1)
    value = None if amount.strip() == "-" else Money.parse(amount.strip())
    decision = decider.decide(Ask(kind=kind, lane="support", value=value))
    guard = decision.guard
    assert (decision.grade.name, guard.control.value, str(guard.checkers)) == (
        grade, control, checkers
    )  # fmt: skip


@pytest.mark.parametrize(
    ("action", "grade", "control", "checkers"),
    [line.rsplit(maxsplit=3) for line in CLEARED.strip().splitlines()],
)
def test_a_reply_without_a_find_needs_nobody(
    action: str, grade: str, control: str, checkers: str
) -> None:
    """Under `support-desk-recall`, a reply and nothing else is looser when it is cleared."""
    kind, amount = action.split(maxsplit=1)
    value = None if amount.strip() == "-" else Money.parse(amount.strip())
    ask = Ask(kind=kind, lane="support", value=value, cleared=True)
    decision = compile_policy(load("support-desk-recall")).decide(ask)
    guard = decision.guard
    assert (decision.grade.name, guard.control.value, str(guard.checkers)) == (
        grade, control, checkers
    )  # fmt: skip


@pytest.mark.parametrize(
    "doubt",
    [
        Ask(kind="reply.send", lane="support", missing=("requester",)),
        Ask(kind="reply.send", lane="support", contradicted=("another's ticket",)),
        Ask(kind="reply.send", lane="support", hidden=("invisible character",)),
        Ask(kind="reply.send", lane="support", unresolved=("{{name}}",)),
    ],
    ids=["missing", "contradicted", "hidden", "unresolved"],
)
def test_any_doubt_is_for_a_person(doubt: Ask) -> None:
    """Cleared or not: what speaks against a reply, or is not known, waits for somebody."""
    ask = msgspec.structs.replace(doubt, cleared=True)
    decision = compile_policy(load("support-desk-recall")).decide(ask)
    assert decision.guard.control.strictness >= Control.APPROVE.strictness


def test_the_packs_differ_in_replies_alone() -> None:
    """Everything else is the same, to the last cap."""
    one, other = load("support-desk"), load("support-desk-recall")
    assert {name for name in one.kinds if one.kinds[name] != other.kinds[name]} == {"reply.send"}
    same = msgspec.structs.replace(other, name=one.name, digest=one.digest, kinds=one.kinds)
    assert same == one
    cleared = other.kinds["reply.send"].cleared
    assert cleared is not None
    assert cleared.when == "found.any == 0"


def test_currency_without_bands_says_so(decider: Decider) -> None:
    """The strictest control comes with its reason."""
    ask = Ask(kind="refund.issue", lane="support", value=Money(minor=1, currency="JPY"))
    assert [reason.code for reason in decider.decide(ask).reasons] == [ReasonCode.UNLISTED_CURRENCY]


def test_what_runs_alone_and_tells_somebody_can_be_undone() -> None:
    """Small refunds and credits, and drafts, name the kind that reverses them."""
    kinds = load("support-desk").kinds
    for name in ("refund.issue", "credit.grant", "reply.draft"):
        undo = kinds[name].kind.undo
        assert undo is not None
        assert undo in kinds


def test_triage_may_read_and_draft_only(decider: Decider) -> None:
    """The narrow lane refuses money and mail before anything is graded."""
    kinds = load("support-desk").kinds
    allowed = {name for name in kinds if decider.admits_kind(name, "triage")}
    assert allowed == {"ticket.read", "kb.search", "reply.draft"}


def test_unknown_kind_is_severe_and_held(decider: Decider) -> None:
    """What the policy does not know waits for two checkers."""
    decision = decider.decide(Ask(kind="rocket.launch", lane="support"))
    assert decision.grade is Grade.G3
    assert [reason.code for reason in decision.reasons] == [ReasonCode.UNKNOWN_KIND]


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_loads_without_a_word(name: str) -> None:
    """A pack has no problem, no warning either, and is called what its file is called."""
    assert problems_of(pack_text(name)) == []
    assert load(name).name == name


def test_packs_are_listed_by_name() -> None:
    """The listing is sorted and holds the default pack."""
    assert "support-desk" in pack_names()
    assert list(pack_names()) == sorted(pack_names())


@pytest.mark.parametrize(
    "name", ["", "policy.schema", "../packs/support-desk", "support-desk.yaml"]
)
def test_unknown_pack_is_not_found(name: str) -> None:
    """Only the names of the listing are packs."""
    with pytest.raises(NotFound) as raised:
        pack_text(name)
    assert raised.value.code == "policy_not_found"
