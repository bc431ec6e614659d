"""`handrail init` drafts a policy: from files, from live servers, and what it refuses."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from handrail.policy.loader import load
from tests.cli.shell import Done, contents, run, said

OFFERS: Final = Path(__file__).parents[1] / "policy" / "offers"
SHOP: Final = Path(__file__).with_name("mcp_shop.py")


def check(file: Path) -> str:
    """What `handrail policy check` says about a drafted file, which must load."""
    done = run("policy", "check", file)
    assert done.returncode == 0, done
    assert done.stdout.startswith("ok: ")
    return done.stderr


@pytest.mark.parametrize(
    ("option", "sample", "kinds"),
    [
        ("--tools", "helpdesk-tools.json", "9 kinds (2 G0, 3 G2, 4 G3)"),
        ("--openapi", "payments-openapi.yaml", "11 kinds (3 G0, 1 G2, 7 G3)"),
        ("--openapi", "tickets-openapi.json", "6 kinds (2 G0, 2 G2, 2 G3)"),
    ],
)
def test_file_becomes_a_policy(tmp_path: Path, option: str, sample: str, kinds: str) -> None:
    """It is printed or written, it loads, and the check says how many guesses wait."""
    printed = run("init", option, OFFERS / sample)
    assert printed.returncode == 0
    assert f"drafted: {kinds}\n" in printed.stderr
    file = tmp_path / "desk.yaml"
    written = run("init", option, OFFERS / sample, "-o", file)
    assert written.stdout == ""
    assert file.read_text() == printed.stdout
    guesses = printed.stdout.count("# CONFIRM: ")
    assert f"{guesses} guesses wait to be confirmed by a person" in check(file)
    file.write_text("\n".join(x for x in file.read_text().split("\n") if "# CONFIRM" not in x))
    assert check(file) == ""


def test_drafted_policy_needs_its_connector(tmp_path: Path) -> None:
    """A desk is not made with a draft that nothing serves: the error names the connector."""
    file = tmp_path / "desk.yaml"
    assert run("init", "--tools", OFFERS / "helpdesk-tools.json", "-o", file).returncode == 0
    assert said(run("init", tmp_path / "desk", "--policy", file)) == "connector_unknown"


def test_file_is_never_overwritten_unasked(tmp_path: Path) -> None:
    """A file that is there stays as it is without `--force`, and nothing is left beside it."""
    file = tmp_path / "desk.yaml"
    file.write_text("mine")
    words = ("init", "--tools", OFFERS / "helpdesk-tools.json", "-o", file)
    assert said(run(*words)) == "file_exists"
    assert file.read_text() == "mine"
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert said(run(*words[:-1], tmp_path / "dangling")) == "file_exists"
    assert run(*words, "--force").returncode == 0
    assert load(file).name == "draft"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["dangling", "desk.yaml"]


def test_names_and_choice(tmp_path: Path) -> None:
    """`--name`, `--connector` and `--only`, with what was renamed on standard error."""
    words = ("init", "--openapi", OFFERS / "tickets-openapi.json")
    done = run(*words, "--name", "tickets", "--connector", "zendesk", "--only", "*emails")
    assert done.returncode == 0
    assert "\npolicy: tickets\n" in done.stdout
    assert "connector: zendesk\n" in done.stdout
    assert done.stderr.startswith(
        "drafted: 1 kinds (1 G2)\nrenamed: `email requester!` is `email_requester`\n"
    )
    assert said(run(*words, "--only", "nothing*")) == "setting_malformed"
    assert said(run(*words, "--name", "No Name")) == "setting_malformed"
    assert said(run(*words, "--connector", "a: b")) == "setting_malformed"


def bad_files(folder: Path) -> Iterator[tuple[str, bytes, str]]:
    """Option, content and code of files that no policy comes of."""
    yield "--tools", b"", "source_malformed"
    yield "--tools", b"{", "source_malformed"
    yield "--tools", b"\xff\xfe{}", "source_malformed"
    yield "--tools", b"{}", "source_malformed"
    yield "--tools", b"hello", "source_malformed"
    yield "--tools", b"[" * 100_000, "source_malformed"
    yield "--tools", b'{"tools": [{"name": "\\ud800"}]}', "source_malformed"
    yield "--openapi", b"a: &a [*a, *a]\n", "source_malformed"
    yield "--openapi", b"[" * 100_000, "source_malformed"
    yield "--openapi", b"{a: " * 100_000, "source_malformed"
    yield "--openapi", b"- " * 100_000, "source_malformed"
    yield "--openapi", b"swagger: '2.0'\n", "source_malformed"
    yield "--openapi", b"openapi: 3.1.0\n", "source_malformed"
    yield "--openapi", b"openapi: !!python/object/apply:os.system [id]\n", "source_malformed"
    yield "--openapi", b"\x00", "source_malformed"
    yield "--openapi", b"x: y\n" * 2_000_000, "too_large"
    big = [{"name": f"get_{n}", "description": "x" * 20_000} for n in range(501)]
    yield "--tools", json.dumps(big).encode(), "too_large"
    yield "--tools", b'["' + b"x" * 34_000_000 + b'"]', "too_large"


def test_bad_files_are_refused_by_code(tmp_path: Path) -> None:
    """One line with a code, exit status 2, and nothing written."""
    source = tmp_path / "source"
    for option, content, code in bad_files(tmp_path):
        source.write_bytes(content)
        before = contents(tmp_path)
        done = run("init", option, source, "-o", tmp_path / "out.yaml")
        assert said(done) == code, (content[:60], done.stderr)
        assert contents(tmp_path) == before


def test_ten_megabytes_are_read(tmp_path: Path) -> None:
    """A large list with few tools is a draft: long texts are cut, not copied."""
    source = tmp_path / "tools.json"
    tools = [{"name": f"update_{n}", "description": "x " * 500_000} for n in range(10)]
    source.write_text(json.dumps({"tools": tools}))
    assert source.stat().st_size > 10_000_000
    done = run("init", "--tools", source)
    assert done.returncode == 0
    assert len(done.stdout) < 10_000


def test_merges_and_aliases_stay_small(tmp_path: Path) -> None:
    """YAML that would grow to billions of entries is read as the few lines that it is."""
    lines = ["openapi: 3.1.0", "x0: &x0 {a: b}"]
    lines += [f"x{n}: &x{n} {{<<: [*x{n - 1}, *x{n - 1}]}}" for n in range(1, 40)]
    lines += ["paths: {/things: {get: {summary: List things, x: *x39}}}"]
    source = tmp_path / "api.yaml"
    source.write_text("\n".join(lines))
    done = run("init", "--openapi", source)
    assert done.returncode == 0, done
    assert "drafted: 1 kinds (1 G0)" in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("init", "setting_malformed"),
        ("init desk --tools x.json", "setting_malformed"),
        ("init --tools x.json --openapi y.yaml", "setting_malformed"),
        ("init desk -o out.yaml", "setting_malformed"),
        ("init --tools no/such.json", "source_not_found"),
        ("init --openapi .", "source_not_found"),
        ("init --mcp ''", "setting_malformed"),
        ("init --mcp '\"'", "setting_malformed"),
        ("init --mcp no-such-command-here", "source_unreachable"),
        ("init --mcp http://127.0.0.1:1/mcp", "source_unreachable"),
    ],
)
def test_bad_words_are_refused(tmp_path: Path, words: str, code: str) -> None:
    """Either a desk or one source, and each that is not there by its code."""
    assert code in run(*shlex.split(words), cwd=tmp_path).stderr.split("handrail: ", 1)[1]
    assert list(tmp_path.iterdir()) == []


def expect_shop(done: Done) -> None:
    """The two tools of the sample server, graded."""
    assert done.returncode == 0, done
    assert "drafted: 2 kinds (1 G0, 1 G3)" in done.stderr
    assert "amount: {type: money}" in done.stdout


def test_live_server_over_stdio() -> None:
    """A command in quotes is started, asked for its tools, and ended."""
    expect_shop(run("init", "--mcp", f"{shlex.quote(sys.executable)} {shlex.quote(str(SHOP))}"))


def test_live_server_over_http() -> None:
    """A URL is asked over streamable HTTP."""
    with subprocess.Popen(
        [sys.executable, SHOP, "http"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            expect_shop(run("init", "--mcp", server.stdout.readline().strip()))
        finally:
            server.kill()


def test_without_the_extra_files_still_work(tmp_path: Path) -> None:
    """Where `mcp` is not installed, `--mcp` says what to install and `--tools` needs nothing."""
    (tmp_path / "mcp.py").write_text("raise ImportError('not installed')")
    more = {"PYTHONPATH": str(tmp_path)}
    assert said(run("init", "--mcp", "x", more=more)) == "extra_missing"
    assert run("init", "--tools", OFFERS / "helpdesk-tools.json", more=more).returncode == 0
