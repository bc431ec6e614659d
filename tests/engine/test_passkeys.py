"""At G3 a passkey signs the approval; what it signed is checked, counts once, and stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import msgspec
import pytest

import handrail
from handrail.bootstrap import now_ms
from handrail.core.passkey import Purpose, Signed, challenge_of, key_name
from handrail.core.policy import Limits, PasskeyRule, Policy
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict
from handrail.engine.access.passkeys import (
    NONCE_MS,
    new_nonce,
    review_challenge,
    revoke_passkey_unit,
)
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.errors import HandrailError
from handrail.policy.loader import digest_policy, load
from handrail.surfaces.embedded import Desk
from tests.engine.authenticator import PRESENT, VERIFIED, Authenticator, enrol

HOUR_MS = 3_600_000


class Case:
    """A desk at G3: Sam has a passkey, Kim has one of their own, Chris has none."""

    def __init__(self, desk: Desk, clock: list[int]) -> None:
        self.desk = desk
        self.clock = clock
        self.key = Authenticator(id=b"sam's key 1234567")
        self.other = Authenticator(id=b"kim's key 1234567")
        for id in ("sam", "kim", "chris"):
            desk.person(id, roles=("reviewer", "checker"), limits=("20000.00 USD",))
        desk.agent("scout", owner="lee")
        enrol(desk.ctx, desk.id, "sam", self.key)
        enrol(desk.ctx, desk.id, "kim", self.other)
        clock[0] += 48 * HOUR_MS

    def held(self, amount: str = "2400.00 USD") -> Proposal:
        """A refund at G3 that waits for one checker."""
        refund = {"order": "O-5005", "amount": amount, "reason": "damaged", "ticket": "T-104"}
        task = self.desk.task(ticket="T-104", agent="scout")
        return self.proposal(self.desk.propose(task, "refund.issue", refund).id)

    def proposal(self, id: str) -> Proposal:
        """The row."""
        found = self.desk.ctx.store.read(lambda tx: tx.proposals.look(self.desk.id, id))
        assert found is not None
        return found

    def person(self, id: str) -> Principal:
        """The row."""
        found = self.desk.ctx.store.read(lambda tx: tx.people.get(self.desk.id, id))
        assert found is not None
        return found

    def sign(self, proposal: Proposal, person: str = "sam", **lies: object) -> Signed:
        """Sam's device signs that person's approval."""
        return self.key.approves(self.desk.ctx, proposal, self.person(person), **lies)

    def review(
        self,
        proposal: Proposal,
        person: str,
        signed: Signed | None = None,
        verdict: Verdict = Verdict.APPROVE,
    ) -> str:
        """The state that a verdict leads to, or the code of its refusal."""
        opinion = Opinion(
            person=person,
            verdict=verdict,
            statement=proposal.statement,
            reason="because",
            signed=signed,
        )
        try:
            unit = review_unit(self.desk.ctx, self.desk.id, proposal.id, opinion)
            return self.desk.ctx.store.write(unit).state.value
        except HandrailError as refusal:
            assert self.proposal(proposal.id).state.value == "PENDING"
            return refusal.code


def policy(rule: PasskeyRule = PasskeyRule.OWN) -> Policy:
    """The default pack with a rule about passkeys, and no limits on how often one proposes."""
    rules = msgspec.structs.replace(load("support-desk"), limits=Limits(), passkeys=rule)
    return msgspec.structs.replace(rules, digest=digest_policy(rules))


def opened(folder: Path, rule: PasskeyRule = PasskeyRule.OWN) -> Case:
    """A desk in that folder."""
    clock = [now_ms()]
    desk = handrail.open(folder / "desk", policy=policy(rule), clock=lambda: clock[0])
    return Case(desk, clock)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """A desk of its own."""
    found = opened(tmp_path)
    with found.desk:
        yield found


def test_a_signed_approval_counts_and_verifies(case: Case) -> None:
    """D2, D3: it runs, the signature is kept whole, and the log's verification checks it."""
    waiting = case.held()
    assert case.review(waiting, "sam") == "passkey_needed"
    assert case.review(waiting, "sam", case.sign(waiting)) == "READY"
    kept = case.desk.ctx.store.read(lambda tx: tx.passkeys.assertions(case.desk.id, waiting.id))
    assert [(one.n, one.person, one.amount) for one in kept] == [(1, "sam", "2400.00 USD")]
    entries = case.desk.show(waiting.id, by="kim").entries
    assert entries[-1].entry.data["passkey"] == key_name(kept[0].passkey)
    assert case.desk.verify().good


def test_who_has_none_approves_as_ever_unless_the_policy_says_so(tmp_path: Path) -> None:
    """D2: with `own` only people who have a passkey need it; with `require` everybody does."""
    for rule, outcome in ((PasskeyRule.OWN, "READY"), (PasskeyRule.REQUIRE, "passkey_needed")):
        case = opened(tmp_path / rule.value, rule)
        with case.desk:
            assert case.review(case.held(), "chris") == outcome
            waiting = case.held("2500.00 USD")
            assert case.review(waiting, "chris", verdict=Verdict.REJECT) == "REJECTED"


def test_below_g3_nobody_signs(case: Case) -> None:
    """A refund at G2 takes no passkey, and one that is sent along is not looked at."""
    refund = {"order": "O-5003", "amount": "120.00 USD", "reason": "damaged", "ticket": "T-103"}
    task = case.desk.task(ticket="T-103", agent="scout")
    waiting = case.proposal(case.desk.propose(task, "refund.issue", refund).id)
    assert case.review(waiting, "sam", case.sign(case.held())) == "READY"


Forgery = Callable[[Case, Proposal], Signed]


def _replayed(case: Case, waiting: Proposal) -> Signed:
    first = case.held("2450.00 USD")
    used = case.sign(first)
    assert case.review(first, "sam", used) == "READY"
    return used


def _answered_before(case: Case, waiting: Proposal) -> Signed:
    signed = case.sign(waiting)
    at = int(signed.nonce.partition(".")[0])
    case.desk.ctx.store.write(lambda tx: tx.passkeys.spend(signed.nonce, at + NONCE_MS))
    return signed


def _of_before(case: Case, waiting: Proposal) -> Signed:
    signed = case.sign(waiting)
    case.clock[0] += NONCE_MS
    return signed


def _for_less(case: Case, waiting: Proposal) -> Signed:
    return case.sign(msgspec.structs.replace(waiting, value_minor=1))


def _other_verdict(case: Case, waiting: Proposal) -> Signed:
    nonce = new_nonce(case.desk.ctx, waiting.desk, Purpose.REVIEW, "sam")
    challenge = challenge_of(
        Purpose.REVIEW,
        desk=waiting.desk,
        nonce=nonce,
        person="sam",
        proposal=waiting.id,
        statement=waiting.statement,
        verdict=Verdict.REJECT,
        amount="2400.00 USD",
    )
    return case.key.signed(challenge, nonce)


def _invented_nonce(case: Case, waiting: Proposal) -> Signed:
    nonce = f"{case.clock[0]}.{'0' * 32}.{'0' * 32}"
    return case.key.signed(review_challenge(waiting, case.person("sam"), nonce), nonce)


def _login_challenge(case: Case, waiting: Proposal) -> Signed:
    nonce = new_nonce(case.desk.ctx, waiting.desk, Purpose.LOGIN)
    return case.key.signed(challenge_of(Purpose.LOGIN, desk=waiting.desk, nonce=nonce), nonce)


def _counter_back(case: Case, waiting: Proposal) -> Signed:
    case.key.counter = 5
    first = case.held("2450.00 USD")
    assert case.review(first, "sam", case.sign(first)) == "READY"
    case.key.counter = 3
    return case.sign(waiting)


def _another_key(case: Case, waiting: Proposal) -> Signed:
    forger = Authenticator(id=case.key.id)
    return forger.approves(case.desk.ctx, waiting, case.person("sam"))


def _turned(case: Case, waiting: Proposal) -> Signed:
    signed = case.sign(waiting)
    return msgspec.structs.replace(signed, signature=signed.signature[:-8] + "AAAAAAAA")


def _gone(case: Case, waiting: Proposal) -> Signed:
    name = key_name(case.sign(waiting).passkey)
    case.desk.ctx.store.write(revoke_passkey_unit(case.desk.id, name, person="sam", by="sam"))
    return case.sign(waiting)


FORGERIES: dict[str, Forgery] = {
    "a replayed one": _replayed,
    "one whose challenge was answered": _answered_before,
    "one that is too old": _of_before,
    "one over another statement": lambda case, _: case.sign(case.held("2600.00 USD")),
    "one over another amount": _for_less,
    "one over another verdict": _other_verdict,
    "one over an invented nonce": _invented_nonce,
    "one that was for a login": _login_challenge,
    "another person's device": lambda case, waiting: case.other.approves(
        case.desk.ctx, waiting, case.person("sam")
    ),
    "one for another person": lambda case, waiting: case.sign(waiting, "kim"),
    "one from another origin": lambda case, waiting: case.sign(
        waiting, origin="https://console.example.com.evil.test"
    ),
    "one from another port": lambda case, waiting: case.sign(
        waiting, origin="https://console.example.com:8443"
    ),
    "one for another site": lambda case, waiting: case.sign(waiting, site="evil.test"),
    "one of another type": lambda case, waiting: case.sign(waiting, type="webauthn.create"),
    "a counter that went back": _counter_back,
    "nobody was there": lambda case, waiting: case.sign(waiting, flags=VERIFIED),
    "nobody was verified": lambda case, waiting: case.sign(waiting, flags=PRESENT),
    "a key that only claims the id": _another_key,
    "a signature that was changed": _turned,
    "a passkey that was ended": _gone,
    "no bytes at all": lambda case, waiting: msgspec.structs.replace(
        case.sign(waiting), client_data="", authenticator_data="", signature=""
    ),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_or_replayed_signature_decides_nothing(case: Case, what: str) -> None:
    """D2, D3, M4: refused by name, nothing is written, and the true one still counts after it."""
    waiting = case.held()
    size = case.desk.ctx.store.read(lambda tx: tx.log.size(case.desk.id))
    signed = FORGERIES[what](case, waiting)
    made = case.desk.ctx.store.read(lambda tx: tx.log.size(case.desk.id))
    assert made >= size
    assert case.review(waiting, "sam", signed) == "passkey_refused"
    assert case.desk.ctx.store.read(lambda tx: tx.log.size(case.desk.id)) == made
    if what not in ("a passkey that was ended", "one that is too old"):
        case.key.counter += 100
        assert case.review(waiting, "sam", case.sign(waiting)) == "READY"
    assert case.desk.verify().good


def test_two_accounts_of_one_person_have_one_need(case: Case) -> None:
    """D2: the account without a passkey is no way around the one with it."""
    case.desk.person("sam2", roles=("checker",), limits=("20000.00 USD",), identity="sam")
    case.clock[0] += 48 * HOUR_MS
    waiting = case.held()
    assert case.review(waiting, "sam2") == "passkey_needed"
    assert case.review(waiting, "sam2", case.sign(waiting)) == "passkey_refused"
    assert case.review(waiting, "sam2", case.sign(waiting, "sam2")) == "READY"


def test_ending_a_passkey_does_not_take_the_need_away(case: Case) -> None:
    """M4: who ends it to get around it still needs it, for whatever was waiting by then."""
    waiting = case.held()
    _gone(case, waiting)
    assert case.review(waiting, "sam") == "passkey_needed"
    case.clock[0] += 1
    assert case.review(case.held("2700.00 USD"), "sam") == "READY"


def test_one_device_is_on_one_account(case: Case) -> None:
    """D2: the same credential is not taken for a second account."""
    with pytest.raises(HandrailError) as refusal:
        enrol(case.desk.ctx, case.desk.id, "chris", case.key)
    assert refusal.value.code == "passkey_taken"


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE passkey SET public_key = 'AAAA'", "passkey"),
        ("UPDATE passkey SET person = 'kim'", "passkey"),
        ("UPDATE assertion SET signature = 'AAAA'", "a passkey signed"),
        ("UPDATE assertion SET person = 'kim'", "a passkey signed"),
        ("DELETE FROM assertion", "a passkey signed was removed"),
        (
            "INSERT INTO assertion SELECT desk, proposal, 9, person, amount, nonce, passkey,"
            " public_key, origin, site, client_data, authenticator_data, signature FROM assertion",
            "added outside the log",
        ),
    ],
)
def test_what_was_signed_cannot_be_changed_afterwards(tmp_path: Path, sql: str, what: str) -> None:
    """D11: `handrail log verify` names it, whoever wrote it into the database."""
    case = opened(tmp_path)
    with case.desk:
        waiting = case.held()
        assert case.review(waiting, "sam", case.sign(waiting)) == "READY"
        assert case.desk.verify().good
    with apsw.Connection(str(tmp_path / "desk" / "handrail.db")) as db:
        for trigger in ("assertion_fixed", "assertion_stays"):
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute(sql)
    with handrail.open(tmp_path / "desk", policy=None, clock=lambda: case.clock[0]) as desk:
        report = desk.verify()
    assert not report.good
    assert any(what in finding.what for finding in report.findings), report.findings
