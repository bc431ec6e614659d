"""A ping: how much of what waits, and a link. Never a word of an action, whatever it is about.

A process of its own sends it, because the library `apprise` opens its connections itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from typing import Final

from handrail.core.canonical import canonical
from handrail.engine.telling.deliver import Parcel
from handrail.engine.telling.pings import where_ping_leads
from handrail.errors import InvalidInput
from handrail.surfaces.outbound import ping_process
from handrail.surfaces.outbound.egress import CALL_S_MAX, TRIES_OF_TIME, NotSent, address_of
from handrail.surfaces.outbound.words import SENTENCES, link_of

__all__ = ["send_ping", "text_of"]

_SAID: Final = {
    ping_process.MALFORMED: "its address is none that apprise knows",
    ping_process.NOT_TAKEN: "the service did not take it, or could not be reached",
    ping_process.NOT_INSTALLED: "the extra `ping` is not installed here",
    -signal.SIGALRM: "it did not answer in time",
    -signal.SIGKILL: "it did not answer in time",
}


def send_ping(mail: Parcel, now: int, *, within_s: float = TRIES_OF_TIME * CALL_S_MAX) -> None:
    """Send it, in at most so many seconds. Raises NotSent unless the service took it."""
    channel, url = mail.channel, mail.secrets.url
    try:
        leads = where_ping_leads(url, inside=channel.inside)
    except InvalidInput:
        leads = None
    if leads != (channel.host, channel.port):
        raise NotSent("its address does not lead where the channel does")
    call = {
        "url": url,
        "title": f"handrail ({channel.desk})",
        "body": text_of(mail),
        "host": channel.host,
        "port": channel.port,
        "address": address_of(channel.host, channel.port, inside=channel.inside),
    }
    ended = _run(canonical(call | {"within_ms": round(within_s * 1_000)}), within_s)
    if ended != 0:
        raise NotSent(_SAID.get(ended, "it failed"))


def text_of(mail: Parcel) -> str:
    """The whole message: each thing that is news once, with a count, and one link."""
    counts = Counter(item.topic for item in mail.items)
    lines = [
        SENTENCES[topic] if count == 1 else f"{SENTENCES[topic]} ({count})"
        for topic, count in counts.items()
    ]
    if mail.more:
        lines.append(f"And {mail.more} more.")
    one = len(mail.items) == 1 and not mail.more
    return "\n".join([*lines, link_of(mail, mail.items[0]) if one else f"{mail.channel.console}/"])


def _run(call: bytes, within_s: float) -> int:
    """How the process ended. Nothing secret is in its arguments or its environment."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", ping_process.__name__],
            input=call,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=within_s,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
    return done.returncode


def _environment() -> dict[str, str]:
    """What the process is told of the outside: where its code is, and whom it trusts."""
    known = {
        "PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder),
        "NETRC": os.devnull,
        "NO_PROXY": "*",
    }
    trusted = os.environ.get("SSL_CERT_FILE")
    return known if trusted is None else known | {"REQUESTS_CA_BUNDLE": trusted}
