"""Health, readiness and metrics, and what a broken invariant does to them."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.stage import Stage, staged

Labels = dict[str, str]


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
    stage.propose(headers, "ticket.read", {"ticket": "T-101"}, wait_ms=5_000)
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


@pytest.mark.parametrize("met", ["looking", "deciding"])
def test_broken_invariant_takes_it_out_of_service(tmp_path: Path, met: str) -> None:
    """Somebody deletes sealed content behind our back: nothing runs any more, and it says why."""
    with staged(tmp_path) as stage:
        headers = stage.task()
        held, other = stage.held(headers, "one"), stage.held(headers, "two")
        digest, second = stage.digest(held["id"]), stage.digest(other["id"])
        intruder = apsw.Connection(str(tmp_path / "handrail.db"))
        intruder.set_busy_timeout(5_000)
        intruder.execute("DELETE FROM content WHERE id = ?", (held["id"],))
        intruder.close()
        body = {"verdict": "approve", "digest": digest}
        maria, path = stage.person("maria"), f"/v1/proposals/{held['id']}"
        if met == "looking":
            assert maria.get(f"{path}/full").json()["code"] == "content_unreadable"
        else:
            maria.post(f"{path}/reviews", json=body)
        ready = stage.http.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["ready"] is False
        assert held["id"] in ready.json()["reasons"][0]
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
