"""Business rows edited behind the log's back no longer are what their last entry says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.prove.attacker import Attacker, examined

DONE: Final = "state = 'SUCCEEDED' AND value_minor = 12000"
WAITING: Final = "value_minor = 550000"

EDITS: Final = {
    "an amount": f"UPDATE proposal SET value_minor = 1200 WHERE {DONE}",
    "a currency": f"UPDATE proposal SET currency = 'JPY' WHERE {DONE}",
    "a state": f"UPDATE proposal SET state = 'REJECTED' WHERE {DONE}",
    "a state that is none": f"UPDATE proposal SET state = 'DONE' WHERE {DONE}",
    "an approval": f"UPDATE proposal SET state = 'READY' WHERE {WAITING}",
    "a control": f"UPDATE proposal SET control = 'run_and_log' WHERE {DONE}",
    "a control that is none": f"UPDATE proposal SET control = 'trust_me' WHERE {DONE}",
    "how many checkers": f"UPDATE proposal SET checkers = 1 WHERE {WAITING}",
    "a grade": f"UPDATE proposal SET grade = 0 WHERE {DONE}",
    "a digest": f"UPDATE proposal SET digest = 'd' WHERE {DONE}",
    "a statement": f"UPDATE proposal SET statement = '5e' WHERE {WAITING}",
    "a deadline": f"UPDATE proposal SET decide_by = decide_by + 1 WHERE {WAITING}",
    "a provider's reference": f"UPDATE proposal SET provider_ref = 'R-0' WHERE {DONE}",
    "an agent": f"UPDATE proposal SET agent = 'eve' WHERE {DONE}",
    "a customer": f"UPDATE proposal SET subject = 'sub_0' WHERE {DONE}",
    "a key": f"UPDATE proposal SET key = 'k' WHERE {DONE}",
    "what it undoes": "UPDATE proposal SET undoes = NULL WHERE undoes IS NOT NULL",
    "what undid it": "UPDATE proposal SET undone_by = NULL WHERE undone_by IS NOT NULL",
    "a review's verdict": "UPDATE review SET verdict = 'reject' WHERE verdict = 'approve'",
    "a verdict that is none": "UPDATE review SET verdict = 'maybe' WHERE verdict = 'approve'",
    "a review's person": "UPDATE review SET person = 'bea', identity = 'bea' WHERE person = 'ann'",
    "a review's time": "UPDATE review SET at = at + 1",
    "a review's digest": "UPDATE review SET statement = '5e'",
    "a removed review": "DELETE FROM review WHERE person = 'cora'",
    "all reviews removed": "DELETE FROM review",
    "an added review": (
        "INSERT INTO review SELECT desk, id, 2, 'cora', 'cora', 'approve', statement, created_at,"
        f" 0, NULL FROM proposal WHERE {WAITING}"
    ),
    "a checker's limit": "UPDATE principal SET limits = '{\"USD\":99999999}' WHERE id = 'cora'",
    "a reviewer's role": "UPDATE principal SET roles = '[\"checker\"]' WHERE id = 'ann'",
    "a role that is none": "UPDATE principal SET roles = '[\"king\"]' WHERE id = 'ann'",
    "an agent's owner": "UPDATE principal SET owner = 'nobody' WHERE id = 'bot'",
    "a person's identity": "UPDATE principal SET identity = 'carl' WHERE id = 'cora'",
    "a person pushed in": (
        "INSERT INTO principal SELECT desk, 'eve', kind, 'Eve', 'eve', owner, operator, deployer,"
        " roles, limits, disabled, created_at, delegator, mail, subjects, granted_at, former,"
        " vouched FROM principal WHERE id = 'carl'"
    ),
    "a person removed": "DELETE FROM principal WHERE id = 'otto'",
    "a task's lane": "UPDATE task SET lane = 'support', ticket = 'T-999' WHERE ticket = 'T-101'",
    "a task's time": "UPDATE task SET expires_at = expires_at * 2",
    "a task's customers": "UPDATE task SET customers = '[\"sub_0\"]' WHERE ticket = 'T-101'",
    "a task pushed in": (
        "INSERT INTO task SELECT desk, 'tk_eve', agent, lane, ticket, customers, 'x', created_at,"
        " expires_at, revoked_at FROM task LIMIT 1"
    ),
    "a task removed": "DELETE FROM task WHERE ticket = 'T-101'",
    "an escalation closed": "UPDATE escalation SET closed_at = 1, closed_by = 'ann'",
    "an escalation removed": "DELETE FROM escalation",
    "a halt lifted": "UPDATE halt SET lifted_at = 1, lifted_by = 'ann'",
    "the active policy": "UPDATE desk SET policy = 'p'",
    "the policy's text": (
        "UPDATE policy_version SET body ="
        " replace(body, '\"up_to_minor\":5000', '\"up_to_minor\":500000')"
    ),
    "a policy pushed in": (
        "INSERT INTO policy_version SELECT desk, version + 1, 'p2', name, body, activated_at,"
        " activated_by FROM policy_version"
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edited_row_is_found(folder: Path, what: str) -> None:
    """Each as a finding, without any checkpoint; no edit makes the verifier stumble."""
    with Attacker(folder) as attacker:
        attacker.run(EDITS[what])
    report = examined(folder, outside=False)
    assert report.findings
    assert all(finding.what for finding in report.findings)


def test_the_edited_action_is_named(folder: Path) -> None:
    """With the index of the entry that says what it should be."""
    with Attacker(folder) as attacker:
        ((id,),) = attacker.all(f"SELECT id FROM proposal WHERE {DONE}")
        ((index,),) = attacker.all("SELECT max(idx) FROM entry WHERE proposal = ?", id)
        attacker.run(EDITS["an amount"])
    (finding,) = examined(folder).findings
    assert (finding.proposal, finding.index) == (id, index)


@pytest.mark.parametrize("what", [DONE, WAITING, "kind = 'ticket.read'"])
def test_a_removed_action_is_named(folder: Path, what: str) -> None:
    """An action that the log tells of and the database no longer has."""
    with Attacker(folder) as attacker:
        id = attacker.all(f"SELECT id FROM proposal WHERE {what}")[0][0]
        attacker.run("DELETE FROM proposal WHERE id = ?", id)
    assert id in [finding.proposal for finding in examined(folder).findings]


def test_an_added_action_is_named(folder: Path) -> None:
    """An action that the log does not know, also when another one made room for it."""
    with Attacker(folder) as attacker:
        id = attacker.all(f"SELECT id FROM proposal WHERE {DONE}")[0][0]
        attacker.run("UPDATE proposal SET id = 'hr_00', key = 'k' WHERE id = ?", id)
    assert {"hr_00", id} <= {finding.proposal for finding in examined(folder).findings}


def test_what_is_left_of_the_log_is_still_compared(folder: Path) -> None:
    """An unreadable entry does not hide an edited row."""
    with Attacker(folder) as attacker:
        ((id,),) = attacker.all(f"SELECT id FROM proposal WHERE {WAITING}")
        attacker.run(EDITS["how many checkers"])
        attacker.set_leaf(3, b"\xff\xfe")
    found = {(finding.index, finding.proposal) for finding in examined(folder).findings}
    assert 3 in {index for index, _ in found}
    assert id in {proposal for _, proposal in found}


def test_a_desk_with_hundreds_of_edits_is_reported_in_bounds(folder: Path) -> None:
    """Everything changed at once: many findings, and an end to them."""
    with Attacker(folder) as attacker:
        attacker.run("UPDATE proposal SET updated_at = 1")
        attacker.run("UPDATE entry SET leaf = x'00'")
    assert 50 <= len(examined(folder).findings) <= 100
