"""Mail by SMTP, over TLS, one message to one person, under an id that stays the same."""

from __future__ import annotations

import smtplib
import socket
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from handrail.engine.telling.deliver import Parcel
from handrail.surfaces.outbound.egress import (
    CALL_S_MAX,
    TRIES_OF_TIME,
    NotSent,
    address_of,
    bounded,
)
from handrail.surfaces.outbound.words import (
    CANNOT_BE_SHOWN,
    SENTENCES,
    link_of,
    shows_literally,
    subject_of,
)

__all__ = ["message_of", "send_mail"]

TEXT_CHARS_MAX: Final = 20_000
"""What one message shows of texts; what does not fit is a link."""
_TLS_PORT: Final = 465
_FOOT: Final = "Deciding happens on those pages, once you are logged in. No reply is read."


def send_mail(mail: Parcel, now: int) -> None:
    """Send it. Raises NotSent when the server does not take it, or has no TLS."""
    channel, secrets = mail.channel, mail.secrets
    to = secrets.addresses.get(mail.letter.person)
    if to is None:
        raise NotSent("that person has no address on this channel")
    address = address_of(channel.host, channel.port, inside=channel.inside)
    try:
        with (
            _opened(channel.host, channel.port, address, may_be_plain=channel.inside) as server,
            bounded(server.sock, TRIES_OF_TIME * CALL_S_MAX),
        ):
            if secrets.user:
                server.login(secrets.user, secrets.password)
            server.send_message(message_of(mail, to, now), secrets.sender, [to])
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"the mail server answered {error.smtp_code}") from None
    except TimeoutError:
        raise NotSent("the mail server did not answer in time") from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotSent(f"the mail server did not take it ({type(error).__name__})") from None


def message_of(mail: Parcel, to: str, now: int) -> EmailMessage:
    """The message as plain text: nothing in it can be drawn, hidden or clicked by itself."""
    message = EmailMessage()
    message["From"] = mail.secrets.sender
    message["To"] = to
    message["Subject"] = subject_of(mail)
    message["Date"] = format_datetime(datetime.fromtimestamp(now // 1_000, UTC))
    domain = mail.secrets.sender.rpartition("@")[2]
    message["Message-ID"] = f"<{mail.letter.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join([*_parts(mail), _FOOT]) + "\n")
    return message


def _parts(mail: Parcel) -> list[str]:
    parts, left = [], TEXT_CHARS_MAX
    for item in mail.items:
        parts.append(f"{SENTENCES[item.topic]}\n{link_of(mail, item)}")
        text = "\n".join(f"    {line.label}: {line.text}" for line in item.lines)
        if text:
            fits = len(text) <= left and shows_literally(item)
            parts.append(text if fits else f"    {CANNOT_BE_SHOWN}")
            left -= len(text) if fits else 0
    if mail.more:
        parts.append(f"And {mail.more} more in the console.")
    return parts


def _opened(host: str, port: int, address: str, *, may_be_plain: bool) -> smtplib.SMTP:
    """A connection to just that address; encrypted, unless the host is inside and cannot."""
    context = ssl.create_default_context()
    if port == _TLS_PORT:
        return _PinnedTls(host, port, address, context)
    server = _Pinned(host, port, address)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif not may_be_plain:
            raise NotSent("the mail server has no TLS")
    except BaseException:
        server.close()
        raise
    return server


class _Pinned(smtplib.SMTP):
    """SMTP to an address that was looked at, under the name that its certificate must have."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self._address = address
        super().__init__(host, port, timeout=CALL_S_MAX)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self._address, port), timeout)


class _PinnedTls(smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        self._address = address
        self._tls = context
        super().__init__(host, port, timeout=CALL_S_MAX, context=context)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((self._address, port), timeout)
        try:
            return self._tls.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
