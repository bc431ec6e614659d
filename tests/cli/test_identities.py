"""`handrail person invite`, `link` and `unlink`, and a server that is told of a login provider."""

from __future__ import annotations

from pathlib import Path

import handrail
from tests.cli.shell import PASSWORD, run
from tests.cli.test_people import principal

ISSUER = "https://login.example.com"


def test_link_invite_and_unlink(desk: Path) -> None:
    """D2: the account carries a keyed hash of the login, never the subject; it can be undone."""
    assert run("person", "add", desk, "kim", typed=PASSWORD).returncode == 0
    given = ("--issuer", ISSUER, "--subject", "kim@example.com")
    done = run("person", "link", desk, "kim", *given)
    assert (done.returncode, done.stdout) == (0, "linked: kim\n")
    (mark,) = principal(desk, "kim").vouched
    assert "kim" not in mark
    invited = run("person", "invite", desk, "kim")
    assert invited.stdout.startswith("/login/invited?token=hrv_")
    token = invited.stdout.strip().rpartition("=")[2]
    for file in desk.glob("handrail.db*"):
        data = file.read_bytes()
        assert token.encode() not in data
        assert b"kim@example.com" not in data
    assert run("person", "unlink", desk, "kim").stdout == "unlinked: kim\n"
    kim = principal(desk, "kim")
    assert kim.vouched == ()
    assert f"vouched:{mark}" in kim.former
    with handrail.open(desk) as opened:
        assert opened.verify().good
    refused = run("person", "link", desk, "nobody", *given)
    assert refused.returncode == 2
    assert "principal_not_found" in refused.stderr


def test_serve_with_half_a_provider_is_refused(desk: Path, tmp_path: Path) -> None:
    """M5: what makes no sense is said before anything is served, and no secret is repeated."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret-of-ours\n")
    both = ("--oidc-client", "handrail", "--oidc-secret-file", secret)
    for options, said in (
        (("--oidc-issuer", ISSUER), "--oidc-client"),
        (both, "--oidc-issuer"),
        ((*both, "--oidc-issuer", "http://login.example.com"), "https"),
        (("--oidc-issuer", ISSUER, *both[:2], "--oidc-secret-file", tmp_path / "gone"), "gone"),
        (("--address", "desk.example.com"), "https://desk.example.com"),
    ):
        done = run("serve", desk, "--port", "0", *options)
        assert (done.returncode, "setting_malformed" in done.stderr) == (2, True), done.stderr
        assert said in done.stderr
        assert "s3cret" not in done.stderr + done.stdout
