"""`handrail demo --headless`: the whole day with scripted reviewers, and what it leaves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from handrail.agent.playbook import PLAYBOOK
from handrail.connectors.sandbox import Sandbox
from handrail.core.note import is_signed_by, parse_checkpoint, parse_note
from handrail.store.keyring import Keyring
from tests.cli.shell import run


@dataclass(frozen=True, kw_only=True)
class Day:
    """A played day: its directory, what it printed line by line, and its summary."""

    folder: Path
    lines: list[str]
    summary: dict[str, Any]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The demo, played once to its end."""
    folder = tmp_path_factory.mktemp("demo") / "desk"
    done = run("demo", "--headless", "--directory", folder)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    return Day(folder=folder, lines=lines, summary=json.loads(last))


def test_summary(day: Day) -> None:
    """What became of every action, under which control, and that the log holds."""
    moves = sum(len(visit.moves) for visit in PLAYBOOK)
    assert set(day.summary) == {
        *("states", "controls", "money_moved_cents", "verdicts_refused"),
        *("log_verified", "log_size", "checkpoint"),
    }
    # The undo is an action of its own.
    assert sum(day.summary["states"].values()) == sum(day.summary["controls"].values()) == moves + 1
    assert day.summary["states"] == {"REFUSED": 1, "REJECTED": 3, "SUCCEEDED": moves + 1 - 4}
    assert set(day.summary["controls"]) == {
        *("run_and_log", "run_and_notify", "approve", "maker_checker", "refuse"),
    }
    assert day.summary["log_verified"] is True


def test_verdicts_that_must_not_count(day: Day) -> None:
    """The owner twice, a reviewer where a checker is asked, the same checker twice: refused."""
    assert day.summary["verdicts_refused"] == 4


def test_money(day: Day) -> None:
    """What ran alone and what was approved, without what was taken back; other currencies apart."""
    ran_alone, approved, checked, alone_and_undone = 18_50, 120_00, 2400_00, 32_00
    moved = ran_alone + approved + checked + alone_and_undone - alone_and_undone
    assert day.summary["money_moved_cents"] == moved
    with Sandbox.open(day.folder / "desk.db") as shop:
        assert shop.money_moved("USD") == moved
        assert shop.money_moved("EUR") == 14_90
        assert shop.money_moved("JPY") == 4_800


@pytest.mark.parametrize(
    ("ticket", "kind", "state"),
    [
        ("T-101", "ticket.read", "SUCCEEDED"),
        ("T-101", "refund.issue", "SUCCEEDED"),
        ("T-101", "reply.send", "PENDING"),
        ("T-102", "reply.draft", "SUCCEEDED"),
        ("T-103", "refund.issue", "PENDING"),
        ("T-104", "refund.issue", "PENDING"),
        ("T-108", "refund.issue", "REFUSED"),
        ("T-110", "refund.issue", "PENDING"),
        ("T-113", "payout.change", "PENDING"),
    ],
)
def test_what_the_agent_was_told(day: Day, ticket: str, kind: str, state: str) -> None:
    """Each move is printed as the agent saw it, before anybody decided."""
    assert [ticket, kind, state] in [line.split() for line in day.lines]


def leaves(folder: Path) -> list[dict[str, Any]]:
    """The whole log."""
    shown = run("log", "show", folder, "--raw", "--most", "1000").stdout
    return [json.loads(line.partition(" ")[2]) for line in shown.splitlines()]


def test_one_action_was_refused_by_its_lane(day: Day) -> None:
    """Another customer's order is outside what the task may touch."""
    told = [leaf.get("data", {}) for leaf in leaves(day.folder)]
    refused = [data for data in told if data.get("state") == "REFUSED"]
    assert [(data["kind"], data["reasons"]) for data in refused] == [
        ("refund.issue", "outside_lane")
    ]


def test_checkpoint(day: Day) -> None:
    """The note covers the whole log and is signed with the directory's key."""
    body, signatures = parse_note(day.summary["checkpoint"])
    keys = Keyring.load(day.folder / "keys")
    assert is_signed_by(body, signatures, keys.verifier, keys.verify)
    checkpoint = parse_checkpoint(body)
    assert (checkpoint.origin, checkpoint.size) == ("handrail/main", day.summary["log_size"])


def test_log_verifies_afterwards(day: Day) -> None:
    """The directory is a desk like any other."""
    note = day.folder.with_name("saved.note")
    note.write_text(day.summary["checkpoint"])
    done = run("log", "verify", day.folder, "--checkpoint", note)
    assert (done.returncode, done.stderr) == (0, "")
    actions = sum(day.summary["states"].values())
    said = f"ok: {day.summary['log_size']} entries, {actions} actions, "
    assert done.stdout.startswith(said)


def test_nothing_is_left_of_a_day_without_a_directory(tmp_path: Path) -> None:
    """Without `--directory` everything is gone afterwards."""
    done = run("demo", "--headless", more={"TMPDIR": str(tmp_path)})
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[-1])["log_verified"] is True
    assert list(tmp_path.iterdir()) == []
