"""`handrail channel`: kept by an administrator with their password; nothing secret is shown."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.shell import PASSWORD, run, said


def test_a_channel_from_a_file(desk: Path) -> None:
    """Added, listed, tried, ended; the secret of a webhook once."""
    assert run("person", "add", desk, "root", "--role", "admin", typed=PASSWORD).returncode == 0
    file = desk.with_name("channel.json")
    settings = {
        "kind": "webhook",
        "label": "ops",
        "console": "https://desk.example.com",
        "url": "https://hooks.invalid/secret-path",
    }
    file.write_text(json.dumps(settings))
    refused = run("channel", "add", desk, file, "--by", "dana", typed=PASSWORD)
    assert said(refused) == "role_missing"
    added = run("channel", "add", desk, file, "--by", "root", typed=PASSWORD)
    assert added.returncode == 0, added.stderr
    id, secret = added.stdout.split()
    assert secret.startswith("whsec_")
    listed = run("channel", "list", desk)
    assert f"{id}  webhook  hooks.invalid:443  link  sent 0, given up 0  ok  (ops)" in listed.stdout
    assert "secret-path" not in listed.stdout
    tried = run("channel", "try", desk, id, "--by", "root", typed=PASSWORD)
    assert tried.stdout == "on its way to 1\n"
    ended = run("channel", "end", desk, id, "--by", "root", typed=PASSWORD)
    assert ended.stdout == f"ended: {id}\n"
    assert run("channel", "list", desk).stdout == ""
    assert run("log", "verify", desk).returncode == 0


def test_files_that_are_no_channel(desk: Path) -> None:
    """A code for each, before a password is asked, and no word of what is in the file."""
    file = desk.with_name("channel.json")
    for text, code in (
        ("{", "json_malformed"),
        ('{"kind": "pigeon"}', "channel_invalid"),
        ('{"kind": "slack", "label": "x", "console": "y", "secret": "4711"}', "channel_invalid"),
    ):
        file.write_text(text)
        done = run("channel", "add", desk, file, "--by", "dana", typed=PASSWORD)
        assert said(done) == code
        assert "4711" not in done.stderr
    assert said(run("channel", "add", desk, desk / "none", "--by", "dana")) == "setting_malformed"
