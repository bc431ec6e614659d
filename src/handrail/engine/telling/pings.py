"""Pings: short notes by a messenger. Which services there are, and where an address of one leads.

An address is written as the library `apprise` writes them, `ntfys://ntfy.example.com/TOPIC`. Of all
that it knows only these are taken: each speaks HTTP to one host, which is known from the address.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from handrail.errors import InvalidInput, SetupFailed

__all__ = ["PING_SCHEMES", "check_ping_installed", "where_ping_leads"]


class _Service(NamedTuple):
    """How a service is reached: at a host of its own, or at the one in the address."""

    host: str = ""
    secure: bool = True


_SERVICES: Final[dict[str, _Service]] = {
    "discord": _Service("discord.com"),
    "gotify": _Service(secure=False),
    "gotifys": _Service(),
    "mmost": _Service(secure=False),
    "mmosts": _Service(),
    "ntfy": _Service(secure=False),
    "ntfys": _Service(),
    "pover": _Service("api.pushover.net"),
    "tgram": _Service("api.telegram.org"),
    "workflows": _Service(),
}
PING_SCHEMES: Final = tuple(_SERVICES)
_OPTIONS: Final = frozenset(("channel", "priority", "sound", "topic"))
"""What an address may say after `?`: nothing that reads a file or loosens a check."""


def where_ping_leads(url: str, *, inside: bool) -> tuple[str, int]:
    """The host and port that an address leads to. Without TLS only `inside`.

    Raises InvalidInput `channel_invalid`, without a word of the address.
    """
    try:
        parts = urlsplit(url)
        service = _SERVICES.get(parts.scheme)
        if service is None:
            raise _invalid(f"a ping goes to one of {', '.join(_SERVICES)}, as `ntfys://HOST/TOPIC`")
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        if parts.fragment or not {name for name, _ in options} <= _OPTIONS:
            raise _invalid(f"after `?` a ping takes only {', '.join(sorted(_OPTIONS))}")
        if service.host:
            return service.host, 443
        host, port = parts.hostname or "", parts.port or (443 if service.secure else 80)
    except ValueError:
        raise _invalid("the address of a ping is no URL") from None
    # INVARIANT: without a path, apprise takes what stands there for a topic at a host of its own.
    if not host or not parts.path.strip("/"):
        raise _invalid("this ping's address has a host and then a path, as `ntfys://HOST/TOPIC`")
    if not (service.secure or inside):
        raise _invalid(
            "without TLS a ping goes only inside; with it, its address begins as `ntfys://`"
        )
    return host, port


def check_ping_installed() -> None:
    """Require the extra; raises SetupFailed `extra_missing`."""
    if find_spec("apprise") is None:
        raise SetupFailed(
            "extra_missing", "a ping needs the extra `ping`: install `handrail[ping]`"
        )


def _invalid(why: str) -> InvalidInput:
    return InvalidInput("channel_invalid", why)
