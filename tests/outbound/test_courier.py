"""Messages that really leave: a served desk, and real receivers over HTTP and SMTP."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

import handrail
from handrail.bootstrap import now_ms
from handrail.core.notice import Carries, Channel, ChannelKind, Topic
from handrail.engine.telling.channels import WantedChannel, add_channel_unit, try_channel_unit
from handrail.engine.telling.deliver import Parcel
from handrail.store.protocol import ChannelState
from handrail.surfaces.auth import set_password
from handrail.surfaces.console import console_routes
from handrail.surfaces.embedded import Action, Desk
from handrail.surfaces.outbound import courier
from handrail.surfaces.server import serving
from tests.outbound.receivers import PASSWORD, certificate, mailbox, receiver
from tests.patience import HANG_S, wait_until

SEEDED: Final = "seeded-secret-9f3b"
LOGIN: Final = "correct horse battery"


@dataclass(kw_only=True)
class Served:
    """A served desk with its clock, and what a browser would be sent to."""

    desk: Desk
    url: str
    ahead: list[int]

    def add(self, kind: ChannelKind, **how: Any) -> tuple[Channel, str]:
        """A channel to a host inside, and its signing secret."""
        settings = {"kind": kind, "label": "ours", "console": self.url, "inside": True, **how}
        unit = add_channel_unit(self.desk.ctx, "main", WantedChannel(**settings), by="root")
        return self.desk.ctx.store.write(unit)

    def refund(self, amount: str = "120.00 USD") -> Action:
        """A refund that waits; of 2400.00 USD it is G3."""
        order, ticket = ("O-5003", "T-103") if amount < "2" else ("O-5005", "T-104")
        task = self.desk.task(ticket=ticket, agent="scout")
        params = {"order": order, "amount": amount, "reason": "wrong_item"}
        return self.desk.propose(task, "refund.issue", params)

    def reply(self, body: str) -> Action:
        """A reply that waits."""
        task = self.desk.task(ticket="T-101", agent="scout")
        return self.desk.propose(task, "reply.send", {"ticket": "T-101", "body": body})

    def state(self, channel: Channel) -> ChannelState:
        """How a channel fares."""
        return self.desk.ctx.store.read(lambda tx: tx.channels.state("main", channel.id))

    def waiting(self) -> int:
        """How many actions wait for a person."""
        return len(self.desk.queue())


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The desk, served with its console, and a courier that looks often."""
    monkeypatch.setattr(courier, "ROUND_S", 0.05)
    ahead = [0]
    with handrail.open(tmp_path / "desk", clock=lambda: now_ms() + ahead[0]) as desk:
        desk.person("dana", roles=("reviewer",))
        desk.person("root", roles=("admin",))
        desk.agent("scout", owner="lee")
        set_password(desk.ctx, "main", "root", LOGIN)
        with serving(desk, console=console_routes) as url:
            yield Served(desk=desk, url=url, ahead=ahead)


def test_a_signed_webhook(served: Served) -> None:
    """E7: it verifies by the reference library, and no other body, id, time or key does."""
    with receiver() as found:
        _, secret = served.add(ChannelKind.WEBHOOK, url=found.url, carries=Carries.TEXT)
        action = served.refund()
        wait_until(lambda: found.got)
        headers, body = found.got[0]
    told = Webhook(secret).verify(body, headers)
    assert told["type"] == "handrail.notice"
    (item,) = told["data"]["items"]
    assert item["link"] == f"{served.url}/actions/{action.id}"
    assert {"label": "Refund", "text": "120.00 USD"} in item["lines"]
    others = (
        (secret, {**headers, "webhook-id": "nl_other"}, body),
        (
            secret,
            {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)},
            body,
        ),
        (secret, {**headers, "webhook-timestamp": "1"}, body),
        (secret, headers, body.replace(b"120.00", b"920.00")),
        ("whsec_" + "A" * 43 + "=", headers, body),
    )
    for key, changed, sent in others:
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(sent, changed)


def test_a_receiver_that_fails_first(served: Served) -> None:
    """Answers of 500 and a redirect are failures that show; the same letter comes again."""
    with receiver() as found:
        found.answer = 500
        channel, _ = served.add(ChannelKind.WEBHOOK, url=found.url)
        served.refund()
        wait_until(lambda: served.state(channel).failed == 1)
        assert served.state(channel).error == "it answered 500"
        metrics = httpx.get(f"{served.url}/metrics", timeout=HANG_S).text
        labels = f'channel="{channel.id}",desk="main",kind="webhook"'
        assert f"handrail_channel_failures{{{labels}}} 1.0" in metrics
        found.answer = 302
        served.ahead[0] += 60_000
        wait_until(lambda: served.state(channel).failed == 2)
        assert found.asked == []
        found.answer = 200
        served.ahead[0] += 600_000
        wait_until(lambda: served.state(channel).sent == 1)
        assert len({headers["webhook-id"] for headers, _ in found.got}) == 1
        assert served.state(channel).failed == 0


class Counted:
    """A way to send, and how many letters were on it at the same time."""

    def __init__(self, send: Callable[[Parcel, int], None]) -> None:
        self.most = 0
        self._send = send
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, mail: Parcel, now: int) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            self._send(mail, now)
        finally:
            with self._lock:
                self._now -= 1


def test_a_channel_that_hangs_holds_up_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deciding goes on, other channels are served, and the server stops; it keeps one thread."""
    counted = Counted(courier._SENDS[ChannelKind.WEBHOOK])
    monkeypatch.setitem(courier._SENDS, ChannelKind.WEBHOOK, counted)
    with receiver() as stuck, receiver() as fine:
        stuck.answer = "hang"
        served.add(ChannelKind.WEBHOOK, url=stuck.url)
        served.add(ChannelKind.SLACK, url=fine.url)
        first = served.refund()
        wait_until(lambda: stuck.got and fine.got)
        served.desk.review(first.id, "approve", by="dana", digest=first.digest)
        wait_until(lambda: served.desk.get(first.id).state.value == "SUCCEEDED")
        second = served.reply("Another one.")
        assert second.state.value == "PENDING"
        served.ahead[0] += 11 * 60_000
        wait_until(lambda: len(fine.got) == 2)
        assert counted.most == 1
        stuck.over.set()


def test_slack_shows_it_literally_or_not_at_all(served: Served) -> None:
    """E5, L5: plain text and no markup; what hides something or is too long is a link alone."""
    with receiver() as found:
        how: dict[str, Any] = {"carries": Carries.TEXT, "topics": (Topic.WAITING,)}
        served.add(ChannelKind.SLACK, url=found.url, pause_minutes=1, **how)
        served.reply("Hello <@U1> & *bold* `code` <!channel> <https://evil.example|bank>")
        wait_until(lambda: found.got)
        served.ahead[0] += 61_000
        served.reply("Pay at https://p\u0430ypal.example \u202e now")
        wait_until(lambda: len(found.got) == 2)
        served.ahead[0] += 61_000
        served.reply("word " * 1_000)
        wait_until(lambda: len(found.got) == 3)
        served.ahead[0] += 61_000
        served.refund("2400.00 USD")
        wait_until(lambda: len(found.got) == 4)
        literal, hidden, long, severe = (msgspec.json.decode(body) for _, body in found.got)
    sections = [block["text"] for block in literal["blocks"]]
    assert {section["type"] for section in sections} == {"plain_text"}
    text = sections[1]["text"]
    assert "Hello &lt;@U1&gt; &amp; *bold* `code` &lt;!channel&gt;" in text
    assert "mrkdwn" not in msgspec.json.encode(literal).decode()
    texts = [block["text"]["text"] for block in long["blocks"]]
    assert "/actions/" in texts[0]
    assert texts[1:] == ["Its text cannot be shown exactly here; open the page to see it."]
    for at_g3 in (hidden, severe):
        assert len(at_g3["blocks"]) == 1
        sent = msgspec.json.encode(at_g3).decode()
        assert "2400.00" not in sent
        assert "evil" not in sent
        assert "example" not in sent


def text_of(message: Message) -> str:
    """The text of a mail."""
    data = message.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode()


def mail_to(port: int, **how: Any) -> dict[str, Any]:
    """The settings of mail to a server here."""
    addresses = {"dana": "told-dana@example.com", "root": "root@example.com"}
    settings = {"host": "localhost", "port": port, "sender": "desk@example.com"}
    return {**settings, "addresses": addresses, **how}


def test_mail_to_who_may_decide(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain text to the reviewer alone, over TLS and after a login; a link, and the lines."""
    trusted, tls = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with mailbox(user="desk", tls=tls) as box:
        how = mail_to(box.port, user="desk", password=PASSWORD, carries=Carries.TEXT)
        served.add(ChannelKind.MAIL, **how)
        action = served.reply("Guten Tag,\n\nIhr Paket kommt sp\u00e4ter.\r\nBcc: x@example.com")
        wait_until(lambda: box.got)
        ((to, message),) = box.got
    assert (to, message["To"], message["Bcc"]) == (
        "told-dana@example.com",
        "told-dana@example.com",
        None,
    )
    assert message["Subject"] == "handrail (main): An action waits for a decision."
    assert message["Message-ID"].startswith("<nl_")
    assert message.get_content_type() == "text/plain"
    text = text_of(message)
    assert f"{served.url}/actions/{action.id}" in text
    assert "Ihr Paket kommt sp\u00e4ter." in text


def test_mail_that_is_refused_first(served: Served) -> None:
    """The server says not now: it comes later under the same id, once."""
    with mailbox() as box:
        box.refuses = True
        channel, _ = served.add(ChannelKind.MAIL, **mail_to(box.port))
        served.refund()
        wait_until(lambda: served.state(channel).failed == 1)
        assert served.state(channel).error == "the mail server answered 451"
        box.refuses = False
        served.ahead[0] += 60_000
        wait_until(lambda: served.state(channel).sent == 1)
        assert len(box.got) == 1


def test_a_server_that_is_not_who_it_says(served: Served, tmp_path: Path) -> None:
    """M5: one whose certificate nobody trusts gets no password, and one not allowed nothing."""
    _, tls = certificate(tmp_path)
    with mailbox(user="desk", tls=tls) as box:
        how = mail_to(box.port, user="desk", password=PASSWORD)
        strange, _ = served.add(ChannelKind.MAIL, **how)
        private, _ = served.add(ChannelKind.MAIL, **{**how, "inside": False})
        served.refund()
        wait_until(lambda: served.state(strange).failed and served.state(private).failed)
        said = "the mail server did not take it (SSLCertVerificationError)"
        assert served.state(strange).error == said
        assert served.state(private).error == "the host's address is not a public one"
        assert box.got == []


def test_a_link_decides_nothing(served: Served) -> None:
    """E5: whoever follows the link, a mail scanner too, is sent to log in; nothing moves."""
    with receiver() as found:
        served.add(ChannelKind.WEBHOOK, url=found.url)
        action = served.refund()
        wait_until(lambda: found.got)
        link = msgspec.json.decode(found.got[0][1])["data"]["items"][0]["link"]
    for method in ("GET", "HEAD"):
        answer = httpx.request(method, link, timeout=HANG_S)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")
    form = {"verdict": "approve", "digest": action.digest}
    forged = httpx.post(link, data=form, timeout=HANG_S)
    assert forged.status_code == 303
    assert served.desk.get(action.id).state.value == "PENDING"


def test_secrets_stay_secret(
    served: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """J10: what is seeded as a secret is in no page, answer, metric, log line, entry or file."""
    caplog.set_level(logging.DEBUG)
    with receiver() as found, mailbox() as box:
        found.answer = 500
        hook, signing = served.add(ChannelKind.WEBHOOK, url=f"{found.url}/{SEEDED}")
        how = mail_to(box.port, user="desk", password=SEEDED)
        port = found.url.rpartition(":")[2]
        ping, _ = served.add(ChannelKind.PING, url=f"ntfy://u:{SEEDED}@127.0.0.1:{port}/{SEEDED}")
        settings = {"kind": ChannelKind.MAIL, "label": "ours", "console": served.url, **how}
        mail, _ = served.add(ChannelKind.MAIL, **how)
        for channel in (hook, mail, ping):
            unit = try_channel_unit(served.desk.ctx, "main", channel.id, by="root")
            served.desk.ctx.store.write(unit)
        wait_until(lambda: all(served.state(one).failed for one in (hook, mail, ping)))
        assert len(found.got) == 2
    with httpx.Client(base_url=served.url, timeout=HANG_S) as client:
        body = {"person": "root", "password": LOGIN}
        assert client.post("/login", data=body).status_code == 303
        pages = [client.get(path).text for path in ("/notifications", "/log", "/metrics")]
        pages.append(client.get("/v1/channels").text)
    assert hook.id in pages[3]
    entries = served.desk.ctx.store.read(lambda tx: tx.log.following("main", 0, most=1_000))
    # The mail server of this test writes a log of its own.
    lines = [one.getMessage() for one in caplog.records if not one.name.startswith("mail")]
    seen = [*pages, *lines, *(one.leaf.decode() for one in entries)]
    seen += [served.state(one).error or "" for one in (hook, mail, ping)]
    seen += [repr(how) for how in (WantedChannel(**settings), hook)]
    for secret in (SEEDED, signing, signing.removeprefix("whsec_"), "told-dana@example.com"):
        assert not [text for text in seen if secret in text]
        files = [path for path in (tmp_path / "desk").rglob("*") if path.is_file()]
        assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_the_desk_says_why_it_was_not_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead channel is visible, and what it is for goes on without it."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    # A resolver out of reach would take long to say the same.
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    channel, _ = served.add(ChannelKind.SLACK, url="https://no-such-host.invalid/x", inside=False)
    served.refund()
    wait_until(lambda: served.state(channel).failed)
    assert served.state(channel).error == "the host is not known"
    assert served.waiting() == 1
    assert Topic.WAITING.value in channel.topics
