"""Health, readiness and metrics, and what a broken invariant does to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw
import pytest
from prometheus_client.parser import text_string_to_metric_families

from handrail.surfaces.api import runner
from tests.api.stage import Stage, staged
from tests.patience import HANG_S

Labels = dict[str, str]
T = TypeVar("T")


def metrics(stage: Stage) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by name and label values."""
    answer = stage.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_up_and_ready(stage: Stage) -> None:
    """Both say yes, with the security headers of every answer."""
    assert stage.http.get("/healthz").json() == {"ok": True}
    assert stage.http.get("/readyz").json() == {"ready": True, "reasons": []}


def test_metrics_follow_what_happens(stage: Stage) -> None:
    """Decisions, states, queue and log are counted as they are in the store."""
    before = metrics(stage)
    headers = stage.task()
    stage.held(headers)
    stage.propose(headers, "ticket.read", {"ticket": "T-101"}, wait_ms=30_000)
    after = metrics(stage)

    def grown(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert grown("handrail_decisions_total", "approve", "main") == 1
    assert grown("handrail_decisions_total", "run_and_log", "main") == 1
    assert grown("handrail_actions", "main", "PENDING") == 1
    assert grown("handrail_actions", "main", "SUCCEEDED") == 1
    assert grown("handrail_queue_depth", "main") == 1
    assert grown("handrail_log_size", "main") >= 4
    assert grown("handrail_http_requests_total", "POST", "/v1/proposals", "200") == 2
    assert after["handrail_queue_depth", ("b",)] == 0
    assert after["handrail_pending_oldest_seconds", ("main",)] >= 0
    assert after["handrail_worker_broken", ()] == 0
    assert after["handrail_attempts_unsettled", ()] == 0


def _behind_its_back(folder: Path, sql: str, value: object) -> None:
    intruder = apsw.Connection(str(folder / "handrail.db"))
    intruder.set_busy_timeout(5_000)
    for (name,) in list(intruder.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")):
        intruder.execute(f"DROP TRIGGER {name}")
    intruder.execute(sql, (value,))
    intruder.close()


def _eventually(look: Callable[[], T], good: Callable[[T], object] = bool) -> T:
    """What is there at last; it comes beside the answers."""
    until = time.monotonic() + HANG_S
    while not good(found := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/metrics", "/v1/checkpoint", "/v1/openapi.json", "/v1/queue", "/x"],
)
def test_security_headers_are_everywhere(stage: Stage, path: str) -> None:
    """Whatever is asked, and whatever the answer: no sniffing, no caching, no framing."""
    answer = stage.http.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_head_is_a_get_without_a_body(stage: Stage) -> None:
    """HEAD answers like GET."""
    answer = stage.http.head("/healthz")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("met", ["looking", "deciding", "running"])
def test_an_action_changed_from_outside_is_left_alone(tmp_path: Path, met: str) -> None:
    """A2: somebody deletes sealed content behind our back: that action waits, people are told."""
    with staged(tmp_path) as stage:
        headers = stage.task()
        held, other = stage.held(headers, "one"), stage.held(headers, "two")
        digest, second = stage.digest(held["id"]), stage.digest(other["id"])
        changed = "UPDATE proposal SET version = 9 WHERE id = ?"
        if met == "looking":
            changed = "DELETE FROM content WHERE id = ?"
        if met == "running":
            changed = "UPDATE proposal SET state = 'READY', execute_by = decide_by WHERE id = ?"
        _behind_its_back(tmp_path, changed, held["id"])
        maria, path = stage.person("maria"), f"/v1/proposals/{held['id']}"
        if met == "looking":
            assert maria.get(f"{path}/full").json()["code"] == "content_unreadable"
        if met == "deciding":
            body = {"verdict": "approve", "digest": digest}
            assert maria.post(f"{path}/reviews", json=body).json()["code"] == "tampered"
        told = _eventually(lambda: maria.get("/v1/escalations").json()["items"])
        assert [(one["cause"], one["action"]) for one in told] == [("tampered", held["id"])]
        assert maria.get(f"/v1/escalations/{told[0]['id']}").status_code == 200
        assert stage.http.get("/readyz").status_code == 200
        body = {"verdict": "approve", "digest": second}
        answer = maria.post(f"/v1/proposals/{other['id']}/reviews", json=body)
        assert answer.json()["state"] in ("READY", "EXECUTING", "SUCCEEDED")
        assert stage.http.get(path, headers=headers).json()["state"] in ("PENDING", "READY")


def test_broken_invariant_takes_it_out_of_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody damages the edge of the log: nothing runs any more, and it says why."""
    monkeypatch.setattr(runner, "CHECKPOINT_S", 0.0)  # each round looks
    with staged(tmp_path) as stage:
        headers = stage.task()
        other = stage.held(headers, "two")
        second = stage.digest(other["id"])
        maria = stage.person("maria")
        _behind_its_back(tmp_path, "UPDATE tree SET frontier = x'00' WHERE desk = ?", "main")
        ready = _eventually(lambda: stage.http.get("/readyz"), lambda one: one.status_code == 503)
        assert ready.json()["ready"] is False
        assert "the stored edge of the log's tree is damaged" in ready.json()["reasons"][0]
        edge = stage.desk.ctx.store.trees["main"].to_bytes()  # type: ignore[attr-defined]
        _behind_its_back(tmp_path, "UPDATE tree SET frontier = ? WHERE desk = 'main'", edge)
        assert stage.http.get("/healthz").status_code == 200
        assert metrics(stage)["handrail_worker_broken", ()] == 1

        refused = stage.http.post(
            "/v1/proposals",
            json={"kind": "ticket.read", "params": {"ticket": "T-101"}},
            headers=headers,
        )
        assert (refused.status_code, refused.json()["code"]) == (500, "invariant_broken")
        body = {"verdict": "approve", "digest": second}
        refused = maria.post(f"/v1/proposals/{other['id']}/reviews", json=body)
        assert refused.json()["code"] == "invariant_broken"
        assert stage.http.get(f"/v1/proposals/{other['id']}", headers=headers).status_code == 200
        concern = {"concern": "nothing works any more"}
        assert stage.http.post("/v1/escalations", json=concern, headers=headers).status_code == 201
