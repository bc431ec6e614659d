"""`handrail verify` as typed into a shell: the table, the JSON, the exit status."""

from __future__ import annotations

import json
from pathlib import Path

from handrail.policy.loader import load
from tests.cli.shell import run, said

PART = """
policy: part
version: 1
lanes: {support: {kinds: [k]}}
caps: {a: {scope: desk, count: 1000000, window: 1h}}
kinds:
  k: {title: T, connector: c, axes: {reversibility: 1, blast_radius: 1, stakes: 1},
      params: {x: {type: text}}, control: run_and_log}
"""


def test_the_pack_holds(tmp_path: Path) -> None:
    """Every control of `support-desk` is shown; only what it does not declare does not apply."""
    done = run("verify", "support-desk", "--json", cwd=tmp_path)
    assert done.returncode == 0, done
    report = json.loads(done.stdout)
    assert (report["policy"], report["digest"]) == ("support-desk", load("support-desk").digest)
    assert report["verdict"] == "holds"
    assert report["counts"]["broken"] == report["counts"]["not shown"] == 0
    assert report["counts"]["holds"] > 60
    assert set(report["trials"][0]) == {"control", "tried", "positive", "negative", "verdict"}
    assert list(tmp_path.iterdir()) == []


def test_a_draft_holds(tmp_path: Path) -> None:
    """A drafted policy can be tried as it is, before any connector exists."""
    offer = Path(__file__).parents[1] / "policy" / "offers" / "helpdesk-tools.json"
    assert run("init", "--tools", offer, "-o", tmp_path / "draft.yaml").returncode == 0
    done = run("verify", tmp_path / "draft.yaml")
    assert done.returncode == 0, done
    assert "refund_order" in done.stdout
    assert " 0 broken, 0 not shown" in done.stdout


def test_what_is_not_shown_has_its_own_status(tmp_path: Path) -> None:
    """Not shown is status 3, never 0; a policy that does not load is status 2."""
    file = tmp_path / "part.yaml"
    file.write_text(PART)
    done = run("verify", file)
    assert done.returncode == 3, done
    assert " 1 not shown" in done.stdout
    assert "stand-ins" in done.stdout
    assert said(run("verify", "no-such-pack")) == "policy_not_found"
    file.write_text("policy: 7")
    assert run("verify", file).stderr.startswith("handrail: policy_invalid")
