"""Proofs that leave the desk: what is in them is checked with the public key and nothing else."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

import handrail
from handrail.bootstrap import now_ms
from handrail.core.artifact import digest_of
from handrail.core.canonical import canonical
from handrail.core.entry import Tag
from handrail.core.policy import Limits
from handrail.core.review import Verdict
from handrail.engine.deciding.review import Opinion, review_unit
from handrail.errors import HandrailError, InvalidInput
from handrail.policy.loader import digest_policy, load
from handrail.prove.bundle import FILES, MANIFEST, packed
from handrail.prove.bundle_check import BundleReport, check_bundle
from handrail.prove.export import Export, export_action, export_customer
from handrail.surfaces.embedded import Desk
from tests.engine.authenticator import Authenticator, enrol

HOUR_MS: Final = 3_600_000


class Records:
    """A desk with a refund that a passkey signed, and one that was handed on."""

    def __init__(self, desk: Desk, clock: list[int]) -> None:
        self.desk = desk
        for id in ("sam", "kim"):
            desk.person(id, roles=("reviewer", "checker"), limits=("20000.00 USD",))
        desk.person("ava", roles=("auditor",))
        desk.person("rex", roles=("reviewer",))
        desk.agent("scout", owner="lee")
        key = Authenticator(id=b"sam's key 1234567")
        enrol(desk.ctx, desk.id, "sam", key)
        clock[0] += 48 * HOUR_MS
        task = desk.task(ticket="T-104", agent="scout")
        refund = {"order": "O-5005", "amount": "2400.00 USD", "reason": "damaged"}
        self.signed = desk.propose(task, "refund.issue", refund).id
        proposal = desk.show(self.signed, by="sam").card.proposal
        self.ref = proposal.subject
        person = desk.ctx.store.read(lambda tx: tx.people.get(desk.id, "sam"))
        assert person is not None
        opinion = Opinion(
            person="sam",
            verdict=Verdict.APPROVE,
            statement=proposal.statement,
            reason="the photo shows it",
            signed=key.approves(desk.ctx, proposal, person),
        )
        desk.ctx.store.write(review_unit(desk.ctx, desk.id, self.signed, opinion))
        desk.work()
        other = {"order": "O-5005", "amount": "1500.00 USD", "reason": "late"}
        self.handed = desk.propose(task, "refund.issue", other).id
        digest = desk.show(self.handed, by="kim").card.proposal.statement
        desk.review(self.handed, "escalate", by="kim", digest=digest, reason="this is odd")

    def person(self, id: str) -> Any:
        """The row."""
        return self.desk.ctx.store.read(lambda tx: tx.people.get(self.desk.id, id))

    def of_action(self, by: str = "ava") -> Export:
        """The proof about the refund that a passkey signed."""
        return export_action(self.desk.ctx, self.signed, self.person(by))

    def of_customer(self) -> Export:
        """The proof about the customer of both refunds."""
        return export_customer(self.desk.ctx, self.ref, self.person("ava"))

    def check(self, data: bytes) -> BundleReport:
        """Check it with the desk's public key alone."""
        signer = self.desk.ctx.signer
        return check_bundle(data, signer.verifier, signer.verify)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """The desk, open."""
    clock = [now_ms()]
    rules = msgspec.structs.replace(load("support-desk"), limits=Limits())
    rules = msgspec.structs.replace(rules, digest=digest_policy(rules))
    with handrail.open(tmp_path / "desk", policy=rules, clock=lambda: clock[0]) as desk:
        yield Records(desk, clock)


def texts_in(data: bytes) -> dict[str, bytes]:
    """The files of a bundle."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_proof_holds(records: Records) -> None:
    """Of an action, and of a customer: everything fits, and what is in it is counted."""
    one = records.check(records.of_action().data)
    all_of_it = records.check(records.of_customer().data)
    assert (one.wrong, all_of_it.wrong) == ((), ())
    assert (one.about, one.desk) == (f"action {records.signed}", "main")
    assert (one.actions, one.signed, one.erased) == (1, 1, 0)
    assert all_of_it.actions == 2
    assert all_of_it.entries > one.entries > 4
    files = texts_in(records.of_action().data)
    assert set(files) == {*FILES, MANIFEST}
    assert b"the photo shows it" in files["actions.jsonl"]
    assert b"2400.00 USD" in files["actions.jsonl"]


def test_taking_it_is_logged(records: Records) -> None:
    """Who took records out of the desk, and which file that was."""
    made = records.of_action()
    desk = records.desk
    (last,) = desk.ctx.store.read(lambda tx: tx.log.latest(desk.id, before=10_000, most=1))
    assert (last.entry.tag, last.entry.actor) == (Tag.PROOF_EXPORTED.value, "ava")
    assert last.entry.data == {"action": records.signed, "digest": digest_of(made.data)}
    assert desk.verify().good


def test_who_may_take_it(records: Records) -> None:
    """M6: a reviewer looks and takes nothing; nothing is logged then."""
    desk = records.desk
    before = desk.ctx.store.read(lambda tx: tx.log.size(desk.id))
    for person in ("rex", "sam"):
        with pytest.raises(HandrailError, match="role_missing"):
            records.of_action(person)
    assert desk.ctx.store.read(lambda tx: tx.log.size(desk.id)) == before


def test_any_flipped_byte_is_found(records: Records) -> None:
    """J11: one bit of every byte, in every file and in the zip around them; and other lengths."""
    data = records.of_action().data
    chance = random.Random(4)
    flipped = bytearray(data)
    passed = []
    for place in range(len(data)):
        bit = 1 << chance.randrange(8)
        flipped[place] ^= bit
        if holds(records, bytes(flipped)):
            passed.append(place)
        flipped[place] ^= bit
    assert passed == []
    assert holds(records, bytes(flipped))
    others = (data[:-1], data + b"x", data[1:], b"", data + data)
    assert not any(holds(records, other) for other in others)


def holds(records: Records, data: bytes) -> bool:
    """Whether it can be read and everything in it fits."""
    try:
        return not records.check(data).wrong
    except InvalidInput:
        return False


def test_another_key(records: Records, tmp_path: Path) -> None:
    """The key in the file itself counts for nothing."""
    data = records.of_action().data
    with handrail.open(tmp_path / "other") as other:
        signer = other.ctx.signer
        with pytest.raises(HandrailError, match="bundle_malformed"):
            check_bundle(data, signer.verifier, signer.verify)


Change = Callable[[dict[str, Any]], None]


def _set(path: str, value: object) -> Change:
    """Set a field of the first action; `reviews.0.person` goes into lists."""

    def change(action: dict[str, Any]) -> None:
        *way, last = path.split(".")
        node: Any = action
        for step in way:
            node = node[int(step)] if step.isdigit() else node[step]
        node[last] = value

    return change


def _drop(name: str) -> Change:
    """Leave out what stands in one of an action's lists."""

    def change(action: dict[str, Any]) -> None:
        action[name] = []

    return change


FORGED: Final[dict[str, tuple[Change, str]]] = {
    "amount": (_set("proposal.value_minor", 100), "the row of an action was changed"),
    "state": (_set("proposal.state", "REJECTED"), "the row of an action was changed"),
    "reference": (_set("proposal.provider_ref", "R-0"), "the row of an action was changed"),
    "reviewer": (_set("reviews.0.person", "kim"), "a review was changed"),
    "no review": (_drop("reviews"), "a review was removed"),
    "signature": (_set("assertions.0.signature", "AAAA"), "what a passkey signed was changed"),
    "no signature": (_drop("assertions"), "what a passkey signed was removed"),
    "key": (_set("passkeys.0.public_key", "AAAA"), "not one that the log had named"),
    "no key": (_drop("passkeys"), "its key is not the one"),
    "fact": (_set("content.facts.0.value", "C-9999"), "not what people were shown"),
    "line": (_set("content.lines.0.text", "24.00 USD"), "not what people were shown"),
    "artifact": (_set("content.artifact", "e30="), "not what was decided on"),
    "no content": (_set("content", None), "its content is missing"),
    "erased": (_set("erased", True), "its content is missing"),
    "policy": (_set("proposal.policy", "00" * 32), "the policy that decided it is not"),
}
"""What a forger with the desk's key, and no way to the log, may try; and how it is found."""


def resigned(records: Records, texts: dict[str, bytes]) -> bytes:
    """The bundle of changed files, its manifest signed anew by the desk's own key."""
    body = texts[MANIFEST].decode().split("\n\n")[0]
    head = "\n".join(body.split("\n")[:4])
    listed = "".join(f"{digest_of(texts[name])} {name}\n" for name in FILES)
    note = records.desk.ctx.signer.sign(f"{head}\n{listed}")
    return packed({**texts, MANIFEST: note.encode()})


@pytest.mark.parametrize("what", FORGED)
def test_what_the_key_alone_cannot_forge(records: Records, what: str) -> None:
    """Even signed anew, a record must be the one that the log's entries committed to."""
    change, said = FORGED[what]
    texts = texts_in(records.of_action().data)
    action = msgspec.json.decode(texts["actions.jsonl"])
    change(action)
    texts["actions.jsonl"] = canonical(action) + b"\n"
    wrong = records.check(resigned(records, texts)).wrong
    assert any(said in one for one in wrong), wrong


ENTRIES: Final[dict[str, tuple[Callable[[list[Any]], object], str]]] = {
    "a leaf": (
        lambda all: all[-1].update(leaf=all[-1]["leaf"].replace('"attempt":1', '"attempt":2')),
        "is not in the log that was signed",
    ),
    "a path": (lambda all: all[1]["path"].reverse(), "is not in the log that was signed"),
    "an index": (lambda all: all[-1].update(index=10**6), "is not in the log that was signed"),
    "the last one left out": (lambda all: all.pop(), "the row of an action was changed"),
    "all left out": (lambda all: all.clear(), "no entry of this desk's log is about it"),
    "another order": (lambda all: all.reverse(), "is not in its place"),
    "one twice": (lambda all: all.append(all[-1]), "is not in its place"),
    "the passkey's left out": (lambda all: all.pop(0), "not one that the log had named"),
}


@pytest.mark.parametrize("what", ENTRIES)
def test_entries_cannot_be_forged(records: Records, what: str) -> None:
    """J11: an entry leads to the signed root, or it is found."""
    change, said = ENTRIES[what]
    texts = texts_in(records.of_action().data)
    entries = [msgspec.json.decode(line) for line in texts["entries.jsonl"].splitlines()]
    change(entries)
    texts["entries.jsonl"] = b"".join(canonical(one) + b"\n" for one in entries)
    wrong = records.check(resigned(records, texts)).wrong
    assert any(said in one for one in wrong), wrong


def test_a_hand_off_cannot_be_forged(records: Records) -> None:
    """Who took a hand-off is under the log as well."""
    records.signed = records.handed
    texts = texts_in(records.of_action().data)
    assert b"this is odd" in texts["actions.jsonl"]
    action = msgspec.json.decode(texts["actions.jsonl"])
    action["escalations"][0]["owner"] = "rex"
    texts["actions.jsonl"] = canonical(action) + b"\n"
    wrong = records.check(resigned(records, texts)).wrong
    assert any("a hand-off was changed" in one for one in wrong), wrong


def test_an_erased_customer_stays_erased(records: Records) -> None:
    """The records and their proofs are there, nothing personal is, and it says so."""
    customer = records.desk.show(records.signed, by="ava").card.customer
    assert customer is not None
    before = records.of_customer().data
    assert customer.encode() in before
    assert records.desk.erase(customer)
    data = records.of_customer().data
    report = records.check(data)
    assert (report.wrong, report.erased, report.actions) == ((), 2, 2)
    for word in (customer, "the photo shows it", "this is odd", "card ending"):
        assert word.encode() not in data


def test_nothing_of_another_checker(records: Records) -> None:
    """D9: while two checkers decide apart, what one of them said is not taken out either."""
    desk = records.desk
    task = desk.task(ticket="T-104", agent="scout")
    large = {"order": "O-5005", "amount": "5100.00 USD", "reason": "damaged"}
    waits = desk.propose(task, "refund.issue", large)
    desk.review(waits.id, "approve", by="kim", digest=waits.digest)
    with pytest.raises(HandrailError, match="proof_waits"):
        export_action(desk.ctx, waits.id, records.person("ava"))
    data = records.of_customer().data
    report = records.check(data)
    assert (report.wrong, report.actions) == ((), 2)
    assert "1 left out while checkers decide" in report.about
    assert waits.id.encode() not in data


def test_a_table_that_calculates_nothing(records: Records) -> None:
    """J11: no cell of the CSV begins like a formula, and no line breaks out of its row."""
    table = texts_in(records.of_customer().data)["entries.csv"].decode()
    rows = table.splitlines()
    assert rows[0] == "index,time,what,who,action,facts"
    assert len(rows) == 1 + records.check(records.of_customer().data).entries
    assert not [row for row in rows for cell in row.split(",") if cell[:1] in "=+@" and cell]
