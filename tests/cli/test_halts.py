"""`handrail halt`, `halts`, `lift` and `task end`."""

from __future__ import annotations

from pathlib import Path

import pytest

import handrail
from tests.cli.shell import PASSWORD, run, said


def test_stop_look_and_let_go(desk: Path) -> None:
    """The operator stops; a person lets go, by their password."""
    done = run("halt", desk, "--agent", "scout", "--reason", "odd")
    assert done.returncode == 0, done.stderr
    id = done.stdout.split()[1]
    assert done.stdout == f"stopped: {id} agent scout, by operator\n"
    assert run("halts", desk).stdout == f"{id} agent scout, by operator\n"
    wrong = run("lift", desk, id, "--by", "dana", typed="something else")
    assert said(wrong) == "login_failed"
    done = run("lift", desk, id, "--by", "dana", typed=PASSWORD)
    assert (done.returncode, done.stdout) == (0, f"lifted: {id}\n")
    assert run("halts", desk).stdout == "nothing is stopped\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--agent", "nobody"), "principal_not_found"),
        (("--kind", "moon.buy"), "field_malformed"),
        (("--task", "tk_1"), "task_not_found"),
        (("--agent", "scout", "--kind", "reply.send"), "setting_malformed"),
    ],
)
def test_what_is_not_there_is_not_stopped(desk: Path, words: tuple[str, ...], code: str) -> None:
    """A typo must not look like a stop."""
    assert said(run("halt", desk, *words)) == code


def test_while_a_server_runs_it_says_where_to_stop(desk: Path) -> None:
    """The files are the server's: the command names the ways that work."""
    with handrail.open(desk):
        done = run("halt", desk)
    assert done.returncode == 2
    assert "store_locked" in done.stderr
    assert "POST /v1/halts" in done.stderr


def test_the_whole_desk_a_customer_and_a_task(desk: Path) -> None:
    """Without an option it is everything; a customer whom nobody has met is pointed out."""
    with handrail.open(desk) as opened:
        task = opened.task(ticket="T-101", agent="scout")
    assert run("task", "end", desk, task.id).stdout == f"ended: {task.id}\n"
    assert said(run("task", "end", desk, "tk_none")) == "task_not_found"
    done = run("halt", desk, "--customer", "C-99")
    assert "is the id right?" in done.stdout
    assert " customer C-99, by operator" in done.stdout
    assert " desk, by operator" in run("halt", desk).stdout
