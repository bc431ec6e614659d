"""Channels out of the desk: administrators add and end them; what is secret of them is sealed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from handrail.core.canonical import canonical, check_plain
from handrail.core.entry import Tag, row_commitment
from handrail.core.notice import Carries, Channel, ChannelKind, Notice, Topic
from handrail.core.principal import PrincipalKind, Role
from handrail.engine.base.context import Context, new_id
from handrail.engine.base.record import Data, note_on_desk
from handrail.engine.telling.pings import check_ping_installed, where_ping_leads
from handrail.errors import InvalidInput, NotAllowed, NotFound
from handrail.store.protocol import DESK_SUBJECT, Tx, Unit

__all__ = [
    "CHOSEN_TOPICS",
    "SIGNING_PREFIX",
    "ChannelSecrets",
    "WantedChannel",
    "add_channel_unit",
    "end_channel_unit",
    "recipients_of",
    "secrets_of",
    "try_channel_unit",
]

CHOSEN_TOPICS: Final = tuple(topic for topic in Topic if topic is not Topic.TEST)
CHANNELS_MAX: Final = 20
LABEL_CHARS_MAX: Final = 60
ADDRESSES_MAX: Final = 200
ADDRESS_CHARS_MAX: Final = 254
URL_CHARS_MAX: Final = 2_000
SECRET_CHARS_MAX: Final = 1_000
PAUSE_MINUTES_MAX: Final = 1_440
PORT_MAX: Final = 65_535
MINUTE_MS: Final = 60_000
SIGNING_PREFIX: Final = "whsec_"
_SIGNING_BYTES: Final = 32
_SECRETS: Final = "secrets"
_PORTS: Final = {"https": 443, "http": 80}


class ChannelSecrets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of a channel. Its `repr` shows nothing of it.

    `url` of a webhook, of Slack or of a ping, `signing` the secret that a webhook is signed with,
    the rest is of mail: `addresses` by the person's id.
    """

    url: str = ""
    signing: str = ""
    user: str = ""
    password: str = ""
    sender: str = ""
    addresses: dict[str, str] = {}

    def __repr__(self) -> str:
        return "ChannelSecrets(...)"


class WantedChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel as an administrator wants it.

    A webhook, Slack and a ping take a `url`; mail takes `host`, `port`, `sender`, `addresses` (by
    the person's id), and `user` and `password` if the server asks for them. `console` is the
    address of the console for links. `inside` allows a host whose address is not a public one.
    """

    kind: ChannelKind
    label: str
    console: str
    carries: Carries = Carries.LINK
    topics: tuple[Topic, ...] = CHOSEN_TOPICS
    pause_minutes: int = 10
    inside: bool = False
    url: str = ""
    host: str = ""
    port: int = 587
    user: str = ""
    password: str = ""
    sender: str = ""
    addresses: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"WantedChannel(kind={self.kind!r}, label={self.label!r})"


def add_channel_unit(
    ctx: Context, desk: str, wanted: WantedChannel, *, by: str
) -> Unit[tuple[Channel, str]]:
    """The unit that adds a channel; also gives the secret that a webhook is signed with, once.

    Raises NotAllowed `role_missing`, InvalidInput `channel_invalid` with what is wrong, and
    SetupFailed `extra_missing` for a ping without the extra `ping`.
    """
    host, port = _check(wanted)
    signing = ""
    if wanted.kind is ChannelKind.WEBHOOK:
        signing = SIGNING_PREFIX + b64encode(ctx.entropy(_SIGNING_BYTES)).decode()

    sealed = canonical(_secrets(wanted, signing))

    def unit(tx: Tx) -> tuple[Channel, str]:
        _check_admin(tx, desk, by)
        live = tx.channels.live(desk)
        if len(live) >= CHANNELS_MAX:
            raise _invalid(f"a desk has at most {CHANNELS_MAX} channels")
        _check_people(tx, desk, wanted.addresses)
        channel = Channel(
            desk=desk,
            id=new_id("ch", tx.now, ctx.entropy),
            kind=wanted.kind,
            label=wanted.label,
            host=host,
            port=port,
            console=wanted.console,
            carries=wanted.carries,
            topics=tuple(dict.fromkeys(topic.value for topic in wanted.topics)),
            pause_ms=wanted.pause_minutes * MINUTE_MS,
            inside=wanted.inside,
            made_at=tx.now,
            made_by=by,
        )
        tx.channels.add(channel)
        subject = tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)
        tx.vault.put(desk, channel.id, _SECRETS, subject=subject, data=sealed)
        if not live:
            # What happened while there was no way to tell anybody is no news any more.
            tx.notices.advance(desk, tx.log.size(desk))
        _note(tx, channel, Tag.CHANNEL_ADDED, by)
        return channel, signing

    return unit


def end_channel_unit(desk: str, id: str, *, by: str) -> Unit[Channel]:
    """The unit that ends a channel; what is sealed of it is overwritten.

    Raises NotAllowed `role_missing` and NotFound `channel_not_found`.
    """

    def unit(tx: Tx) -> Channel:
        _check_admin(tx, desk, by)
        found = _live(tx, desk, id)
        ended: Channel = msgspec.structs.replace(found, ended_at=tx.now, ended_by=by)
        tx.channels.end(ended)
        subject = tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)
        tx.vault.put(desk, id, _SECRETS, subject=subject, data=canonical(ChannelSecrets()))
        _note(tx, ended, Tag.CHANNEL_ENDED, by)
        return ended

    return unit


def try_channel_unit(ctx: Context, desk: str, id: str, *, by: str) -> Unit[int]:
    """The unit that has a test message sent to every recipient; to how many.

    Raises NotAllowed `role_missing` and NotFound `channel_not_found`.
    """

    def unit(tx: Tx) -> int:
        _check_admin(tx, desk, by)
        channel = _live(tx, desk, id)
        mark = new_id("try", tx.now, ctx.entropy)
        people = recipients_of(tx, channel)
        for person in people:
            notice = Notice(
                desk=desk,
                channel=id,
                person=person,
                topic=Topic.TEST,
                about="",
                mark=mark,
                at=tx.now,
            )
            tx.notices.add(notice)
        return len(people)

    return unit


def secrets_of(tx: Tx, channel: Channel) -> ChannelSecrets:
    """What is sealed of a channel. Raises Unavailable `content_unreadable` if it was changed."""
    data = tx.vault.get(channel.desk, channel.id, _SECRETS)
    if data is None:
        return ChannelSecrets()
    return msgspec.json.decode(data, type=ChannelSecrets)


def recipients_of(tx: Tx, channel: Channel) -> Sequence[str]:
    """Everybody a channel leads to: the people of a mail channel, else nobody in particular."""
    if channel.kind is not ChannelKind.MAIL:
        return ("",)
    return tuple(secrets_of(tx, channel).addresses)


def _secrets(wanted: WantedChannel, signing: str) -> ChannelSecrets:
    return ChannelSecrets(
        url=wanted.url,
        signing=signing,
        user=wanted.user,
        password=wanted.password,
        sender=wanted.sender,
        addresses=wanted.addresses,
    )


def _check(wanted: WantedChannel) -> tuple[str, int]:
    """Where it leads. Raises InvalidInput `channel_invalid`."""
    for text in (wanted.label, wanted.url, wanted.host, wanted.user, wanted.password):
        check_plain(text)
    if not 1 <= len(wanted.label) <= LABEL_CHARS_MAX or not wanted.label.isprintable():
        raise _invalid(f"a name has 1 to {LABEL_CHARS_MAX} visible characters")
    if not 1 <= wanted.pause_minutes <= PAUSE_MINUTES_MAX:
        raise _invalid(f"the pause is 1 to {PAUSE_MINUTES_MAX} minutes")
    if not wanted.topics or not set(wanted.topics) <= set(CHOSEN_TOPICS):
        raise _invalid("choose what it is to tell")
    parts = urlsplit(wanted.console)
    if f"{parts.scheme}://{parts.netloc}" != wanted.console or parts.scheme not in _PORTS:
        raise _invalid("the console's address is like `https://desk.example.com`")
    if wanted.kind is ChannelKind.MAIL:
        return _check_mail(wanted)
    if len(wanted.url) > URL_CHARS_MAX or not _is_visible(wanted.url):
        raise _invalid("the address to call is no URL")
    return _check_ping(wanted) if wanted.kind is ChannelKind.PING else _check_url(wanted)


def _check_ping(wanted: WantedChannel) -> tuple[str, int]:
    if wanted.carries is not Carries.LINK:
        raise _invalid("a ping carries only a link")
    leads = where_ping_leads(wanted.url, inside=wanted.inside)
    check_ping_installed()
    return leads


def _check_url(wanted: WantedChannel) -> tuple[str, int]:
    try:
        parts = urlsplit(wanted.url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _invalid("the address to call is no URL") from None
    if not host or parts.username is not None or parts.fragment:
        raise _invalid("the address to call is a URL with a host, without a name before it")
    if parts.scheme != "https" and not (wanted.inside and parts.scheme == "http"):
        raise _invalid("the address to call begins with https://")
    return host, port


def _check_mail(wanted: WantedChannel) -> tuple[str, int]:
    if not _is_visible(wanted.host) or len(wanted.host) > ADDRESS_CHARS_MAX or "/" in wanted.host:
        raise _invalid("mail needs the host of a server")
    if not 1 <= wanted.port <= PORT_MAX:
        raise _invalid("a port is a number from 1 to 65535")
    if max(len(wanted.user), len(wanted.password)) > SECRET_CHARS_MAX:
        raise _invalid("the name or the password is too long")
    if not 1 <= len(wanted.addresses) <= ADDRESSES_MAX:
        raise _invalid(f"mail goes to 1 to {ADDRESSES_MAX} people, each with an address")
    for address in (wanted.sender, *wanted.addresses.values()):
        name, at, domain = address.rpartition("@")
        plain = _is_visible(address) and not set(address) & set('<>,;:"()[]\\')
        if not (name and at and domain and plain) or len(address) > ADDRESS_CHARS_MAX:
            raise _invalid("a mail address is like `name@example.com`")
    return wanted.host, wanted.port


def _is_visible(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _check_people(tx: Tx, desk: str, addresses: dict[str, str]) -> None:
    for id in addresses:
        person = tx.people.get(desk, id)
        if person is None or person.kind is not PrincipalKind.PERSON:
            raise _invalid("an address belongs to a person of this desk, by login name")


def _check_admin(tx: Tx, desk: str, by: str) -> None:
    person = tx.people.get(desk, by)
    if person is None or person.disabled or Role.ADMIN not in person.roles:
        raise NotAllowed("role_missing", "channels are kept by the role admin")


def _live(tx: Tx, desk: str, id: str) -> Channel:
    found = tx.channels.get(desk, id)
    if found is None or found.ended_at is not None:
        raise NotFound("channel_not_found", "there is no such channel in use")
    return found


def _note(tx: Tx, channel: Channel, tag: Tag, by: str) -> None:
    data: Data = {"channel": channel.id, "kind": channel.kind.value, "host": channel.host}
    rows = {f"channel:{channel.id}": row_commitment(channel)}
    note_on_desk(tx, channel.desk, tag, actor=by, data=data, rows=rows)


def _invalid(why: str) -> InvalidInput:
    return InvalidInput("channel_invalid", why)
