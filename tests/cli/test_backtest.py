"""`handrail policy record` and `handrail policy backtest` as installed."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.shell import contents, run, said


def test_what_a_desk_decided_becomes_traffic(desk: Path, tmp_path: Path) -> None:
    """The desk's two refunds are decided again as they were; nothing of the desk is changed."""
    before = contents(desk)
    traffic = tmp_path / "traffic.jsonl"
    assert run("policy", "record", desk, "--out", traffic).returncode == 0
    assert contents(desk) == before
    lines = [json.loads(line) for line in traffic.read_text().splitlines()]
    assert [(line["kind"], line["value_minor"]) for line in lines] == [
        ("refund.issue", 1850),
        ("refund.issue", 12000),
    ]
    text = traffic.read_text()
    assert "C-10" not in text
    assert "O-500" not in text
    page = tmp_path / "report.html"
    words = ("policy", "backtest", "support-desk", traffic, "--reviewers", "2", "--page", page)
    done = run(*words, "--against", "support-desk")
    assert done.returncode == 0, done.stderr
    assert "Ran alone: 1, 18.50 USD" in done.stdout
    assert page.read_text().startswith("<!doctype html>")
    record = json.loads(run(*words, "--json").stdout)
    assert (record["prompts"], record["fates"]["alone"], record["reviewers"]) == (1, 1, 2)


def test_content_comes_along_only_when_asked_for(desk: Path) -> None:
    """With `--content` parameters and facts are there for checks; with `--days` the last days."""
    first = json.loads(run("policy", "record", desk, "--content").stdout.splitlines()[0])
    assert first["params"]["order"] == "O-5001"
    assert first["facts"]["order_owner"]
    assert len(run("policy", "record", desk, "--days", "1").stdout.splitlines()) == 2


def test_what_cannot_be_read_is_said_in_one_line(desk: Path, tmp_path: Path) -> None:
    """No file, a bad line, no policy, no place for the page."""
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    good = tmp_path / "good.jsonl"
    good.write_text("")
    backtest = ("policy", "backtest", "support-desk")
    assert said(run(*backtest, tmp_path / "none.jsonl")) == "traffic_not_found"
    assert said(run(*backtest, bad)) == "traffic_malformed"
    assert said(run("policy", "backtest", "nosuch", good)) == "policy_not_found"
    assert said(run(*backtest, good, "--page", tmp_path / "no" / "p")) == "directory_unwritable"
    assert said(run("policy", "record", desk, "--out", tmp_path)) == "directory_unwritable"
