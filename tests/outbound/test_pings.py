"""Pings that really leave by `apprise`: what they say, and what the process that sends one may."""

from __future__ import annotations

import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import apprise
import msgspec
import pytest
import requests

import handrail
from handrail.core.artifact import Line
from handrail.core.notice import Carries, ChannelKind, Topic
from handrail.engine.telling.channels import WantedChannel, add_channel_unit
from handrail.engine.telling.deliver import Item, Parcel
from handrail.engine.telling.pings import PING_SCHEMES, where_ping_leads
from handrail.errors import HandrailError, InvalidInput
from handrail.surfaces.outbound import ping
from handrail.surfaces.outbound.egress import NotSent
from tests.outbound.receivers import Receiver, certificate, receiver
from tests.outbound.test_messages import message
from tests.patience import HANG_S

TRIES: Final = 30

ADDRESSES: Final = {
    "discord": ("discord://10203040506070809/" + "a" * 60, "discord.com", 443),
    "gotify": ("gotify://in.example/Abcdef", "in.example", 80),
    "gotifys": ("gotifys://in.example:444/Abcdef?priority=high", "in.example", 444),
    "mmost": ("mmost://in.example/" + "a" * 26, "in.example", 80),
    "mmosts": ("mmosts://in.example/" + "a" * 26 + "?channel=ops", "in.example", 443),
    "ntfy": ("ntfy://in.example:8080/ops", "in.example", 8080),
    "ntfys": ("ntfys://user:word@in.example/ops", "in.example", 443),
    "pover": ("pover://" + "u" * 30 + "@" + "t" * 30, "api.pushover.net", 443),
    "tgram": ("tgram://123456789:" + "a" * 35 + "/12315544/", "api.telegram.org", 443),
    "workflows": (f"workflows://in.example/{'a' * 32}/{'b' * 43}", "in.example", 443),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # all that apprise imports
@pytest.mark.parametrize("scheme", PING_SCHEMES)
def test_where_each_service_is_called(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """M5: apprise calls the host that we say it will, and no other, over TLS unless it has none."""
    url, host, port = ADDRESSES[scheme]
    assert where_ping_leads(url, inside=True) == (host, port)
    called = []

    def send(_: Any, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        called.append((parts.scheme, parts.hostname, parts.port or {"http": 80}.get(parts.scheme)))
        assert how["verify"]
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, str(request.url), request
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    service = apprise.Apprise.instantiate(url)
    assert service is not None
    service.notify(body="x", title="y")
    plain = scheme in ("gotify", "mmost", "ntfy")
    assert called
    for how, where, at in called:
        assert (how, where, at or 443) == ("http" if plain else "https", host, port)
    if plain:
        with pytest.raises(InvalidInput, match="without TLS"):
            where_ping_leads(url, inside=False)
    else:
        assert where_ping_leads(url, inside=False) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        "json://in.example/secret",
        "syslog://secret",
        "file:///etc/secret",
        "https://in.example/secret",
        "NTFYS:in.example/secret",
        "ntfys://secret",
        "ntfys://secret/",
        "ntfys:///secret",
        "ntfys://in.example:x/secret",
        "ntfys://[in.example/secret",
        "ntfys://in.example/secret#x",
        "ntfys://in.example/secret?verify=no",
        "ntfys://in.example/secret?redirect=yes",
        "ntfys://in.example/secret?priority=max&attach=/etc/passwd",
        "ntfys://in.example/secret?secret",
        "workflows://in.example/a/b?template=/etc/secret",
        "tgram://123:abc/1?template=/etc/secret",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    """M5, J10: other services, and options that loosen a check or read a file; nothing repeated."""
    with pytest.raises(InvalidInput) as refused:
        where_ping_leads(url, inside=True)
    assert refused.value.code == "channel_invalid"
    assert "secret" not in str(refused.value)


def parcel(found: Receiver | str, *, name: str = "127.0.0.1", inside: bool = True) -> Parcel:
    """A ping about one action, to a receiver here."""
    port = urlsplit(found if isinstance(found, str) else found.url).port
    mail = message("literal text of O-5003", kind=ChannelKind.PING)
    scheme = "ntfys" if isinstance(found, str) else "ntfy"
    secrets = msgspec.structs.replace(mail.secrets, url=f"{scheme}://u:word@{name}:{port}/ops")
    channel = msgspec.structs.replace(mail.channel, host=name, port=port, inside=inside)
    return msgspec.structs.replace(mail, channel=channel, secrets=secrets)


def test_what_a_ping_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """M5: a count and a link, straight to the receiver: no proxy, no netrc, no word printed."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with receiver() as found, receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        ping.send_ping(parcel(found), 0)
        assert proxy.got == []
        ((headers, body),) = found.got
    assert headers["authorization"] == f"Basic {b64encode(b'u:word').decode()}"
    link = "https://desk.example.com/actions/hr_0"
    said = {"message": f"An action waits for a decision.\n{link}", "title": "handrail (main)"}
    assert msgspec.json.decode(body) == {"topic": "ops", **said}
    assert capfd.readouterr() == ("", "")


def test_how_much_a_ping_says() -> None:
    """E5: each thing once with its count, one link, and never a line of an action."""
    items = [
        Item(topic=topic, path=f"/actions/hr_{n}", lines=(Line(label="Refund", text="120.00 USD"),))
        for n, topic in enumerate([Topic.HALTED, Topic.WAITING, Topic.WAITING])
    ]
    mail = msgspec.structs.replace(message(), items=tuple(items), more=4)
    assert ping.text_of(mail) == (
        "Work was stopped.\nAn action waits for a decision. (2)\nAnd 4 more.\n"
        "https://desk.example.com/"
    )


@pytest.mark.parametrize("answer", [500, 302, "close"])
def test_a_receiver_that_does_not_take_it(answer: int | str) -> None:
    """M5: it is a failure, said without an address; no redirect is followed."""
    with receiver() as found:
        found.answer = answer
        with pytest.raises(NotSent, match="did not take it") as refused:
            ping.send_ping(parcel(found), 0)
        assert (len(found.got), found.asked) == (1, [])
    assert "127.0.0.1" not in str(refused.value)


def start_s() -> float:
    """How long a ping takes that is answered at once: all of it is the start of its process."""
    with receiver() as found:
        begun = time.monotonic()
        ping.send_ping(parcel(found), 0, within_s=HANG_S)
        return time.monotonic() - begun


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_receiver_that_takes_long(answer: str) -> None:
    """It is given up, also when a little comes all the time."""
    # Too short, and the process never came to call; too long, and `apprise` itself gave up, which
    # waits four seconds. A busy machine may need more than one try to meet the time between.
    within_s, met = start_s() + 2, (False, 0)
    for _ in range(TRIES):
        with receiver() as found:
            found.answer = answer
            with pytest.raises(NotSent, match=r"in time|did not take it") as refused:
                ping.send_ping(parcel(found), 0, within_s=within_s)
            met = ("in time" in str(refused.value), len(found.got))
        if met == (True, 1):
            break
        within_s = within_s + 1 if met[0] else max(1, within_s - 1)
    assert met == (True, 1), "given up in time, called once"


def test_a_receiver_that_answers_without_end() -> None:
    """M5: the process ends before it has taken in more than it may have."""
    with receiver() as found:
        found.answer = "flood"
        with pytest.raises(NotSent):
            ping.send_ping(parcel(found), 0)
        assert found.over.wait(HANG_S), "it could write for ever"


@pytest.mark.parametrize(
    ("name", "inside", "says"),
    [
        ("127.0.0.1", False, "does not lead where"),  # without TLS
        ("169.254.169.254", True, "not a public one"),
        ("no-such-host.invalid", True, "not known"),
    ],
)
def test_hosts_that_are_not_called(name: str, inside: bool, says: str) -> None:
    """M5: by the same rule as every channel, before a process is begun."""
    with receiver() as found:
        with pytest.raises(NotSent, match=says):
            ping.send_ping(parcel(found, name=name, inside=inside), 0)
        assert found.got == []


def test_an_address_that_was_exchanged() -> None:
    """M5: what is sealed must lead where the channel in the log leads."""
    with receiver() as found, receiver() as other:
        mail = parcel(found)
        secrets = parcel(other).secrets
        with pytest.raises(NotSent, match="does not lead where"):
            ping.send_ping(msgspec.structs.replace(mail, secrets=secrets), 0)
        assert (found.got, other.got) == ([], [])


def test_a_server_that_is_not_who_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M5: a certificate that nobody trusts gets nothing; one that the operator trusts does."""
    trusted, tls = certificate(tmp_path)
    with receiver(tls=tls) as found:
        mail = parcel(found.url, name="localhost")
        with pytest.raises(NotSent, match="did not take it"):
            ping.send_ping(mail, 0)
        assert found.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        ping.send_ping(mail, 0)
        assert len(found.got) == 1


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', {other}))",
        "socket.create_connection(('localhost', {port}))",
        "socket.socket().connect(('127.0.0.1', {other}))",
        "socket.socket().connect_ex(('127.0.0.1', {other}))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {other}))",
        "socket.socket(socket.AF_UNIX).connect('any.sock')",
        "socket.gethostbyname('localhost')",
        "requests.post('http://127.0.0.1:{other}/')",
        "os.system('true')",
        "subprocess.run(['true'])",
    ],
)
def test_what_the_process_cannot_reach(attempt: str) -> None:
    """M5: once it is pinned, nothing but that host at that address, however it is tried."""
    code = (
        "import os, requests, socket, subprocess\n"
        "from handrail.surfaces.outbound.ping_process import pin\n"
        "pin('127.0.0.1', {port}, '127.0.0.1')\n"
        "requests.post('http://127.0.0.1:{port}/')\n"
        "try:\n    " + attempt + "\n"
        "except (OSError, requests.RequestException) as error:\n"
        "    print('refused')"
    )
    with receiver() as found, receiver() as other:
        ports = {"port": urlsplit(found.url).port, "other": urlsplit(other.url).port}
        done = subprocess.run(
            [sys.executable, "-c", code.format(**ports)],
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=True,
        )
        assert done.stdout == "refused\n", done.stderr
        assert (len(found.got), other.got) == (1, [])


@pytest.mark.parametrize(
    ("change", "installed", "code"),
    [
        ({}, True, None),
        ({"carries": Carries.TEXT}, True, "channel_invalid"),
        ({"url": "https://in.example/x"}, True, "channel_invalid"),
        ({"url": "ntfy://in.example/x"}, True, "channel_invalid"),
        ({}, False, "extra_missing"),
    ],
)
def test_adding_one(
    tmp_path: Path,
    change: dict[str, Any],
    installed: bool,
    code: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The host is shown, never a topic or a token; without the extra it is refused by a code."""
    settings = {"kind": ChannelKind.PING, "label": "ours", "console": "https://desk.example.com"}
    wanted = WantedChannel(**{**settings, "url": "ntfys://tk_1@in.example/topic", **change})
    if not installed:
        monkeypatch.setitem(sys.modules, "apprise", None)
    with handrail.open(tmp_path / "desk") as desk:
        desk.person("root", roles=("admin",))
        if code is not None:
            with pytest.raises(HandrailError) as refused:
                add_channel_unit(desk.ctx, "main", wanted, by="root")
            assert refused.value.code == code
            return
        channel, signing = desk.ctx.store.write(
            add_channel_unit(desk.ctx, "main", wanted, by="root")
        )
    assert (channel.host, channel.port, signing) == ("in.example", 443, "")
    assert channel.carries is Carries.LINK


def test_a_server_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it runs without apprise, the channel says so."""
    (tmp_path / "apprise.py").write_text("raise ImportError('not installed')")
    monkeypatch.syspath_prepend(tmp_path)
    with receiver() as found, pytest.raises(NotSent, match="extra `ping` is not installed"):
        ping.send_ping(parcel(found), 0)


def test_nothing_secret_can_be_listed() -> None:
    """J10: the address is in no argument and in no variable of the process that sends it."""
    begun = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            begun.append(repr(arguments))

    sys.addaudithook(watch)
    with receiver() as found:
        ping.send_ping(parcel(found), 0)
    (listed,) = begun
    assert "ping_process" in listed
    assert "NO_PROXY" in listed
    assert "word" not in listed
    assert "ntfy" not in listed
