"""`handrail policy shadow` as installed."""

from __future__ import annotations

import json
from pathlib import Path

import handrail
from tests.cli.shell import run, said


def test_a_candidate_is_started_reported_and_stopped(desk: Path, tmp_path: Path) -> None:
    """It decides beside the policy; the report says how often it differs, and which way."""
    assert said(run("policy", "shadow", "report", desk)) == "shadow_not_found"
    stricter = tmp_path / "stricter.yaml"
    text = run("policy", "show", "support-desk").stdout
    stricter.write_text(text.replace('up_to: "50.00"', 'up_to: "10.00"'))
    started = run("policy", "shadow", "start", desk, stricter)
    assert started.returncode == 0, started.stderr
    with handrail.open(desk, policy=None) as opened:
        task = opened.task(ticket="T-105")
        fields = {"order": "O-5004", "amount": "12.00 USD", "reason": "late"}
        assert opened.propose(task, "refund.issue", fields).state.value == "SUCCEEDED"
    report = run("policy", "shadow", "report", desk).stdout
    assert "tighter: 1\n" in report
    assert "refund.issue: run_and_notify G2 -> approve G2, 1 times" in report
    record = json.loads(run("policy", "shadow", "report", desk, "--json").stdout)
    assert (record["same"], record["looser"], record["tighter"]) == (0, 0, 1)
    assert run("policy", "shadow", "stop", desk).returncode == 0
    assert said(run("policy", "shadow", "stop", desk)) == "shadow_not_found"
    assert "until" in run("policy", "shadow", "report", desk).stdout
