"""A passkey's signature over HTTP: asked for, given with the review, and the session renewed."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from contextlib import closing
from pathlib import Path

import msgspec

from tests.api.stage import Person, staged
from tests.engine.authenticator import Authenticator, enrol


def test_a_review_at_g3_is_signed(tmp_path: Path) -> None:
    """D3, M4: an API session decides nothing at G3 by itself; signed, its token changes."""
    device = Authenticator(id=b"vera's key 123456")
    with staged(tmp_path) as stage, closing(Person(stage.url, "vera")) as vera:
        desk = stage.desk
        params = {"order": "O-5005", "amount": "2400.00 USD", "reason": "damaged"}
        task = desk.task(ticket="T-104", agent="bot")
        held = desk.propose(task, "refund.issue", params)
        path = f"/v1/proposals/{held.id}"
        assert vera.get(f"{path}/challenge").json()["needed"] is False
        enrol(desk.ctx, desk.id, "vera", device)
        asked = vera.get(f"{path}/challenge").json()
        assert asked["needed"] is True
        assert len(asked["options"]["allowCredentials"]) == 1
        body = {"verdict": "approve", "digest": held.digest, "retyped": "2400 USD"}
        refused = vera.post(f"{path}/reviews", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "passkey_needed")
        challenge = urlsafe_b64decode(asked["options"]["challenge"] + "=")
        signed = msgspec.to_builtins(device.signed(challenge, asked["nonce"]))
        wrong = vera.post(f"{path}/reviews", json={**body, "signed": {**signed, "nonce": "1.2.3"}})
        assert wrong.json()["code"] == "passkey_refused"
        before = vera.cookies["handrail_session"]
        done = vera.post(f"{path}/reviews", json={**body, "signed": signed})
        assert done.status_code == 200, done.text
        assert vera.cookies["handrail_session"] != before
        assert vera.get("/v1/queue").status_code == 200
        assert vera.get("/v1/proposals/hr_" + "0" * 32 + "/challenge").status_code == 404
        assert desk.verify().good
