"""`handrail policy diff` as installed; tests/policy/test_diff.py has the details."""

from __future__ import annotations

import json
from pathlib import Path

from handrail.policy.loader import source_text
from tests.cli.shell import run, run_each, said


def test_the_exit_status_says_whether_it_is_looser(tmp_path: Path) -> None:
    """N2: looser ends with 1, tighter and the same with 0; JSON holds the same classes."""
    text = source_text("support-desk")
    looser, tighter = tmp_path / "looser.yaml", tmp_path / "tighter.yaml"
    looser.write_text(text.replace('up_to: "50.00"', 'up_to: "80.00"'))
    tighter.write_text(text.replace('up_to: "50.00"', 'up_to: "20.00"'))
    answers = run_each(
        [
            ("policy", "diff", "support-desk", looser),
            ("policy", "diff", "support-desk", tighter),
            ("policy", "diff", "support-desk", "support-desk"),
            ("policy", "diff", "support-desk", looser, "--json"),
        ]
    )
    assert [done.returncode for done in answers] == [1, 0, 0, 1]
    first, second, third, fourth = (done.stdout for done in answers)
    assert first.startswith("looser: `refund.issue` in USD, above 50.00 up to 80.00: approve -> ")
    assert {line.partition(":")[0] for line in second.splitlines()} == {"tighter"}
    assert third == "no difference\n"
    found = json.loads(fourth)
    assert len(found) == len(first.splitlines())
    assert {one["direction"] for one in found} == {"looser"}
    assert {one["example"]["amount"][:6] for one in found} == {"65.00 "}


def test_what_cannot_be_read() -> None:
    """One line with its code, exit status 2."""
    assert said(run("policy", "diff", "support-desk", "nosuch")) == "policy_not_found"
