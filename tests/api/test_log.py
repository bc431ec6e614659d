"""The log over HTTP: what it shows can be checked by somebody who trusts only the key."""

from __future__ import annotations

import base64

import pytest

from handrail.core import merkle
from handrail.core.note import is_signed_by, parse_checkpoint, parse_note
from tests.api.stage import Stage


def test_proof_of_every_entry(stage: Stage) -> None:
    """Each entry's leaf is proved by its audit path against a checkpoint that the key signed."""
    stage.held(stage.task())
    maria = stage.person("maria")
    size = maria.get("/v1/log?limit=1").json()["size"]
    signer = stage.desk.ctx.signer
    for index in range(size):
        proof = maria.get(f"/v1/log/{index}/proof").json()
        body, signatures = parse_note(proof["checkpoint"])
        assert is_signed_by(body, signatures, signer.verifier, signer.verify)
        checkpoint = parse_checkpoint(body)
        assert checkpoint.size == proof["size"] > index
        leaf = merkle.leaf_hash(base64.b64decode(proof["leaf"]))
        path = [bytes.fromhex(node) for node in proof["proof"]]
        assert merkle.verify_inclusion(leaf, index, checkpoint.size, path, checkpoint.root)


@pytest.mark.parametrize("index", ["-1", "x", "999999999", "9" * 40, "1.5", "\u0663"])
def test_entries_that_are_not_there(stage: Stage, index: str) -> None:
    """There is no proof of what is not in the log."""
    answer = stage.person("maria").get(f"/v1/log/{index}/proof")
    assert (answer.status_code, answer.json()["code"]) == (404, "entry_not_found")


def test_pages_go_down_to_the_first_entry(stage: Stage) -> None:
    """From the newest to entry 0, each once."""
    maria = stage.person("maria")
    seen: list[int] = []
    before: dict[str, int] = {}
    while True:
        page = maria.get("/v1/log", params={"limit": 5, **before}).json()
        seen += [item["index"] for item in page["items"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == list(range(page["size"] - 1, -1, -1))


def test_by_proposal_person_and_customer(stage: Stage) -> None:
    """What happened to one action, what one person did, what one customer was told."""
    held = stage.held(stage.task())
    maria = stage.person("maria")
    body = {"verdict": "reject", "digest": stage.digest(held["id"]), "reason": "wrong tone"}
    maria.post(f"/v1/proposals/{held['id']}/reviews", json=body)

    def tags(**query: str) -> list[str]:
        items = maria.get("/v1/log", params={"limit": 200, **query}).json()["items"]
        assert [item["index"] for item in items] == sorted(item["index"] for item in items)
        return [item["entry"]["tag"] for item in items]

    assert tags(proposal=held["id"]) == ["action.proposed", "action.rejected"]
    assert tags(person="maria")[-1] == "action.rejected"
    assert tags(customer="C-1001")[-1] == "action.rejected"
    assert tags(customer="C-nobody") == []
    assert tags(person="nobody") == []


def test_one_question_at_a_time(stage: Stage) -> None:
    """Two filters at once are a mistake, not a guess."""
    answer = stage.person("maria").get("/v1/log?person=maria&customer=C-1001")
    assert (answer.status_code, answer.json()["code"]) == (422, "field_malformed")


def test_nothing_personal_in_a_leaf(stage: Stage) -> None:
    """Neither a name, an address nor the text of a reply is in the log."""
    stage.held(stage.task(), "A very private sentence.")
    items = stage.person("maria").get("/v1/log?limit=200").json()["items"]
    leaves = b"".join(base64.b64decode(item["leaf"]) for item in items).lower()
    for secret in (b"private", b"dana", b"whitfield", b"c-1001", b"example.com"):
        assert secret not in leaves
