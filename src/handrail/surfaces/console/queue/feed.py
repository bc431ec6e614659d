"""The feed: what changes in the queue, told to every open console as it happens.

The log is what is read: no snapshot ever has a row without its entry, and an index in it says how
far somebody has heard. Each desk with open consoles is looked at once for all of them, whenever
something may have moved, and once a second in any case. What is told is that an action began to
wait or no longer waits; that one of two checkers has spoken is not.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from handrail.core.entry import Tag
from handrail.core.lifecycle import State
from handrail.core.principal import Principal, Role
from handrail.core.proposal import Proposal
from handrail.engine.asking.checkers import roster_of
from handrail.engine.showing.search import Search, is_theirs, sieve_of
from handrail.errors import HandrailError, NotAllowed, NotAuthenticated
from handrail.store.protocol import Tx
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.auth import check_role, session_in
from handrail.surfaces.console.pages import SECURITY_HEADERS
from handrail.surfaces.console.text.literal import clipped

__all__ = ["Feed", "Stream"]

STREAMS_MAX: Final = 1_000
"""Consoles that one process keeps up to date; a further one is not."""
QUEUED_MAX: Final = 50
"""Messages that wait for a slow console; it then hears only that it has missed some."""
LOOK_AGAIN_S: Final = 1.0
GAP_S: Final = 0.5
"""Between two looks: what happens meanwhile is told together. Writing to a socket is what costs."""
BEAT_S: Final = 5.0
CHECKED_S: Final = 1.0
"""How old the last look at a session may be when something is told."""
RETRY_MS: Final = 2_000
RETRY_STEP_MS: Final = 150
RETRY_STEPS: Final = 20
ENTRIES_MAX: Final = 20_000
"""Entries of the log that are gone through for one look; who is further behind has missed some."""
MOVES_MAX: Final = 500
MINE_MAX: Final = 20
"""Actions of one look that are looked through for whose they are; above it all are told."""
_NAME_CHARS_MAX: Final = 60
_BEGAN: Final = tuple(
    tag.value for tag in (Tag.ACTION_PROPOSED, Tag.ACTION_REOPENED, Tag.REVIEW_WITHDRAWN)
)
_BEAT: Final = b": still here\n\n"
_log: Final = logging.getLogger("handrail.feed")


class _News(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at a desk found, up to an index of its log.

    `ended` says by id how it is with what no longer waits. With `missed` it is too much to tell.
    """

    upto: int
    waiting: int
    began: tuple[Proposal, ...] = ()
    ended: dict[str, str] = {}
    missed: bool = False

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to tell anybody."""
        return not (self.began or self.ended or self.missed)


class _Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message as a console gets it."""

    waiting: int
    began: list[str] = []
    ended: dict[str, str] = {}
    missed: bool = False


class Stream:
    """One open console: whose it is, what it shows, and what it has not been told yet.

    `action` is the one action that it shows; with None it shows what passes `search`. `checked` is
    when its session was last looked at, by the loop's clock.
    """

    def __init__(
        self, token: str, person: Principal, search: Search, action: str | None = None
    ) -> None:
        self.token, self.person = token, person
        self.search, self.action = search, action
        self.stirred = asyncio.Event()
        self.over, self.checked = False, 0.0
        self._queued: deque[bytes] = deque()

    def put(self, message: bytes | None, upto: int) -> None:
        """Queue a message; when too many wait, one takes their place that says so."""
        if message is None or self.over:
            return
        if len(self._queued) >= QUEUED_MAX:
            self._queued.clear()
            message = _message(_Told(waiting=0, missed=True), upto)
        self._queued.append(message)
        self.stirred.set()

    def take(self) -> bytes:
        """Everything that waits, or a sign of life."""
        taken = b"".join(self._queued)
        self._queued.clear()
        return taken or _BEAT

    def end(self) -> None:
        """Let the response end; a browser then asks again."""
        self.over = True
        self.stirred.set()


class Feed:
    """Every open console of one serving process. Touched by the event loop's thread only."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._streams: dict[str, set[Stream]] = {}
        self._heard: dict[str, int] = {}
        self._watch: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        """Whether no further console is taken."""
        return sum(len(some) for some in self._streams.values()) >= STREAMS_MAX

    def response(self, stream: Stream, since: int) -> StreamingResponse:
        """The answer that keeps a console up to date, from an index of the log on."""
        return _Live(self, stream, since)

    @contextmanager
    def joined(self, stream: Stream, since: int) -> Iterator[None]:
        """Tell this console what happens while the block runs, and what has since `since`.

        The others are told first what happened before it came: all then have heard equally far,
        and no later look tells it what its page was already made with.
        """
        desk = stream.person.desk
        if others := self._streams.get(desk):
            self._heard[desk] = self._look(desk, self._heard[desk], others)
        self._streams.setdefault(desk, set()).add(stream)
        try:
            told = self._look(desk, since, [stream])
            self._heard.setdefault(desk, told)
            if self._watch is None or self._watch.done():
                self._watch = self._gateway.runner.spawn(self._watching())
            yield
        finally:
            self._streams[desk].discard(stream)
            if not self._streams[desk]:
                del self._streams[desk]
                self._heard.pop(desk, None)

    async def events(self, stream: Stream) -> AsyncIterator[bytes]:
        """What a console is told, until its session or the server ends."""
        step = len(self._streams.get(stream.person.desk, ())) % RETRY_STEPS
        yield f"retry: {RETRY_MS + step * RETRY_STEP_MS}\n\n".encode()
        while not (stream.over or self._gateway.runner.stopping):
            try:
                async with asyncio.timeout(BEAT_S):
                    await stream.stirred.wait()
            except TimeoutError:
                self._check(stream)
            stream.stirred.clear()
            if not stream.over:
                yield stream.take()

    def _check(self, stream: Stream) -> None:
        """End a stream whose session is over, or whose person has no role any more."""
        try:
            self._gateway.ctx.store.read(lambda tx: _check_in(tx, stream))
        except HandrailError as error:
            _log.warning("a session could not be looked at: %s", error)

    async def _watching(self) -> None:
        """Look whenever something may have moved, as long as anybody listens."""
        runner = self._gateway.runner
        stirred = runner.waiters.stirred
        try:
            while self._streams and not runner.stopping and runner.broken is None:
                try:
                    async with asyncio.timeout(LOOK_AGAIN_S):
                        await stirred.wait()
                except TimeoutError:
                    pass
                stirred.clear()
                for desk, heard in list(self._heard.items()):
                    self._heard[desk] = self._look(desk, heard, self._streams.get(desk, ()))
                await asyncio.sleep(GAP_S)
        finally:
            for stream in [one for some in self._streams.values() for one in some]:
                stream.end()

    def _look(self, desk: str, since: int, streams: set[Stream] | list[Stream] | tuple[()]) -> int:
        """Tell these consoles what happened on a desk; the index up to which they have heard."""

        now = asyncio.get_running_loop().time()

        def look(tx: Tx) -> tuple[int, list[tuple[Stream, bytes | None]]]:
            news = _news_since(tx, desk, since)
            if news.nothing:
                return news.upto, []
            made: dict[object, bytes | None] = {}
            messages = []
            for stream in streams:
                whose = stream.person.id if stream.search.mine else ""
                key = (stream.search, stream.action, whose)
                if key not in made:
                    made[key] = self._told(tx, stream, news)
                if made[key] is not None and now - stream.checked >= CHECKED_S:
                    stream.checked = now
                    _check_in(tx, stream)
                messages.append((stream, made[key]))
            return news.upto, messages

        try:
            upto, messages = self._gateway.ctx.store.read(look)
        except HandrailError as error:
            _log.warning("the queue could not be looked at: %s", error)
            return since
        for stream, message in messages:
            stream.put(message, upto)
        return upto

    def _told(self, tx: Tx, stream: Stream, news: _News) -> bytes | None:
        """The message for a console, or None when there is nothing for it."""
        if news.missed:
            return _message(_Told(waiting=news.waiting, missed=True), news.upto)
        if stream.action is not None:
            of_it = {id: said for id, said in news.ended.items() if id == stream.action}
            again = [one.id for one in news.began if one.id == stream.action]
            told = _Told(waiting=news.waiting, began=again, ended=of_it)
        else:
            began = self._passing(tx, stream, news.began)
            told = _Told(waiting=news.waiting, began=began, ended=news.ended)
        return _message(told, news.upto) if told.began or told.ended else None

    def _passing(self, tx: Tx, stream: Stream, began: tuple[Proposal, ...]) -> list[str]:
        if not began:
            return []
        sieve = sieve_of(tx, stream.person.desk, stream.search)
        found = [one for one in began if sieve.passes(one)]
        if stream.search.mine and len(found) <= MINE_MAX:
            ctx = self._gateway.ctx
            theirs = is_theirs(ctx, tx, stream.person, roster_of(tx, stream.person.desk))
            found = [one for one in found if theirs(one)]
        return [one.id for one in found]


class _Live(StreamingResponse):
    """The answer to one console; it is told of nothing any more once its browser has gone."""

    def __init__(self, feed: Feed, stream: Stream, since: int) -> None:
        headers = {**SECURITY_HEADERS, "cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(feed.events(stream), media_type="text/event-stream", headers=headers)
        self._feed, self._stream, self._since = feed, stream, since

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._feed.joined(self._stream, self._since):
            await super().__call__(scope, receive, send)


def _news_since(tx: Tx, desk: str, since: int) -> _News:
    """What began to wait and what no longer waits, by the log from an index on."""
    upto = tx.log.size(desk)
    waiting = max(0, tx.counters.now(desk, f"state:{State.PENDING.value}"))
    if since >= upto:
        # A number from beyond the end is of another log: one that was restored, or nobody's.
        return _News(upto=upto, waiting=waiting, missed=since > upto)
    if upto - since > ENTRIES_MAX:
        return _News(upto=upto, waiting=waiting, missed=True)
    moved = tx.proposals.moved(desk, since, most=MOVES_MAX + 1)
    if len(moved) > MOVES_MAX:
        return _News(upto=upto, waiting=waiting, missed=True)
    waits = [(tag, one) for tag, one in moved if one.state is State.PENDING]
    began = {one.id: one for tag, one in waits if tag in _BEGAN}
    ended = {one.id: one for _, one in moved if one.state is not State.PENDING}
    return _News(
        upto=upto,
        waiting=waiting,
        began=tuple(began.values()),
        ended={id: _said(tx, one) for id, one in ended.items()},
    )


def _check_in(tx: Tx, stream: Stream) -> None:
    try:
        _, person = session_in(tx, stream.token)
        check_role(person, *Role)
    except (NotAuthenticated, NotAllowed):
        stream.end()


def _said(tx: Tx, proposal: Proposal) -> str:
    """How it is with what no longer waits. Where two decide, neither is named."""
    if proposal.checkers <= 1:
        reviews = tx.proposals.reviews(proposal.desk, proposal.id)
        last = [one for one in reviews if one.statement == proposal.statement][-1:]
        for review in last:
            person = tx.people.get(proposal.desk, review.person)
            name = review.person if person is None else person.name
            return f"decided by {clipped(name, _NAME_CHARS_MAX)}"
    return "no longer waits"


def _message(told: _Told, upto: int) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (upto, msgspec.json.encode(told))
