"""The courier: reads on in the log, writes letters and sends them, in threads of its own.

Nothing that is decided ever waits for it. A channel that hangs keeps one thread for a bounded time;
no channel has two.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Final

from handrail.core.notice import ChannelKind
from handrail.engine.base.context import Context
from handrail.engine.showing.looks import prune_looks
from handrail.engine.telling.deliver import Parcel, claim_unit, settle_unit
from handrail.engine.telling.notify import gather, pack, prune
from handrail.errors import HandrailError
from handrail.surfaces.outbound.egress import NotSent
from handrail.surfaces.outbound.mail import send_mail
from handrail.surfaces.outbound.ping import send_ping
from handrail.surfaces.outbound.slack import send_slack
from handrail.surfaces.outbound.webhook import send_webhook

__all__ = ["Courier"]

ROUND_S: Final = 1.0
THREADS: Final = 4
BATCH_MAX: Final = 40
EXPIRING_ROUNDS: Final = 20
"""How many rounds there are for each look at what is about to expire."""
PRUNING_ROUNDS: Final = 600
"""And for each time that old letters and looks are forgotten."""
STOP_S_MAX: Final = 5.0
_SENDS: Final[Mapping[ChannelKind, Callable[[Parcel, int], None]]] = {
    ChannelKind.MAIL: send_mail,
    ChannelKind.WEBHOOK: send_webhook,
    ChannelKind.SLACK: send_slack,
    ChannelKind.PING: send_ping,
}

_log: Final = logging.getLogger("handrail.courier")


class Courier:
    """Tells people outside the console, for every desk of a store, while a server runs."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._over = threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._rounds, name="handrail-courier", daemon=True)
        self._senders = ThreadPoolExecutor(THREADS, thread_name_prefix="handrail-sender")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more. What is being sent is settled, or sent again by the next process."""
        self._over.set()
        self._thread.join(STOP_S_MAX)
        self._senders.shutdown(wait=False, cancel_futures=True)

    def _rounds(self) -> None:
        for round_ in count():
            if self._over.wait(ROUND_S):
                return
            for desk in list(self._ctx.rulebooks):
                try:
                    self._round(
                        desk,
                        expiring=round_ % EXPIRING_ROUNDS == 0,
                        prunes=round_ % PRUNING_ROUNDS == PRUNING_ROUNDS - 1,
                    )
                except HandrailError as error:
                    _log.error("people of `%s` were not told: %s", desk, error)

    def _round(self, desk: str, *, expiring: bool, prunes: bool) -> None:
        """Read on, write letters, and hand what is due to free threads."""
        gather(self._ctx, desk, expiring=expiring)
        pack(self._ctx, desk)
        if prunes:
            prune(self._ctx, desk)
            prune_looks(self._ctx, desk)
        with self._lock:
            busy = frozenset(self._busy)
        if not self._ctx.store.read(lambda tx: tx.notices.due(desk, tx.now, most=1)):
            return
        claimed: dict[str, list[Parcel]] = {}
        for mail in self._ctx.store.write(claim_unit(desk, most=BATCH_MAX, but=busy)):
            claimed.setdefault(mail.channel.id, []).append(mail)
        for channel, mails in claimed.items():
            with self._lock:
                self._busy.add(channel)
            self._senders.submit(self._send, channel, mails)

    def _send(self, channel: str, mails: list[Parcel]) -> None:
        """In a sender's thread: one try of each, in order, until the channel fails."""
        error: str | None = None
        try:
            for mail in mails:
                if error is None and self._over.is_set():
                    return  # they are claimed, and sent by whoever comes next
                if error is None:
                    error = self._tried(mail)
                self._settle(mail, error)
        finally:
            with self._lock:
                self._busy.discard(channel)

    def _tried(self, mail: Parcel) -> str | None:
        """Why it was not sent, or None."""
        try:
            _SENDS[mail.channel.kind](mail, self._ctx.clock())
        except NotSent as refusal:
            return str(refusal)
        except Exception as unexpected:
            # What is logged or kept of it must not hold an address or a secret.
            return f"it failed ({type(unexpected).__name__})"
        return None

    def _settle(self, mail: Parcel, error: str | None) -> None:
        try:
            self._ctx.store.write(settle_unit(mail.letter, error))
        except HandrailError as failure:
            _log.error("a letter was not settled: %s", failure.code)
