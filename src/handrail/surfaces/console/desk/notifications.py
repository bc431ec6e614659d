"""How people are told outside the console: an administrator's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.notice import Carries, ChannelKind, Topic
from handrail.core.principal import PrincipalKind
from handrail.engine.telling.channels import (
    CHOSEN_TOPICS,
    WantedChannel,
    add_channel_unit,
    end_channel_unit,
    try_channel_unit,
)
from handrail.errors import HandrailError, InvalidInput
from handrail.surfaces.api.channels import channels_of
from handrail.surfaces.console.pages import Visitor, redirect

__all__ = ["TOPICS", "add_channel", "end_channel", "notifications", "try_channel"]

TOPICS: Final[dict[Topic, str]] = {
    Topic.WAITING: "an action waits",
    Topic.EXPIRING: "an action is about to expire",
    Topic.EXPIRED: "an action expired",
    Topic.ESCALATED: "something was handed to a person",
    Topic.TRIPPED: "a cap is full",
    Topic.HALTED: "work was stopped",
    Topic.BREAK_GLASS: "break-glass was asked for or used",
}
_KINDS: Final[dict[ChannelKind, str]] = {
    ChannelKind.MAIL: "Mail",
    ChannelKind.WEBHOOK: "Webhook",
    ChannelKind.SLACK: "Slack",
    ChannelKind.PING: "Ping",
}
_TYPED: Final = ("kind", "label", "url", "host", "port", "sender", "addresses", "pause", "carries")
"""What a form that is refused shows again: never a password, nor the address of a webhook."""
_ABOUT_THE_FORM: Final = ("channel_invalid", "extra_missing", "field_malformed", "text_not_unicode")


async def notifications(visitor: Visitor) -> Response:
    """The page of channels: which there are, whether they work, and a form for another."""
    tried = visitor.request.query_params.get("tried")
    return _page(visitor, tried=tried if tried is not None and tried.isdecimal() else None)


async def add_channel(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Add one. The secret of a webhook is on the page that answers, and nowhere afterwards."""
    ctx, desk = visitor.gateway.ctx, visitor.desk
    try:
        unit = add_channel_unit(ctx, desk, _wanted(visitor, form), by=visitor.person.id)
        channel, signing = await ctx.store.submit(unit)
    except HandrailError as refusal:
        if refusal.code not in _ABOUT_THE_FORM:
            raise
        typed = {name: form.get(name, "") for name in _TYPED if name != "url"}
        return _page(visitor, status=refusal.status, problem=refusal.message, typed=typed)
    if not signing:
        return redirect("/notifications")
    return _page(visitor, signing=signing, signing_of=channel.label)


async def end_channel(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """End one."""
    id = visitor.request.path_params["id"]
    unit = end_channel_unit(visitor.desk, id, by=visitor.person.id)
    await visitor.gateway.ctx.store.submit(unit)
    return redirect("/notifications")


async def try_channel(visitor: Visitor, form: Mapping[str, str]) -> Response:
    """Send a test message."""
    ctx = visitor.gateway.ctx
    id = visitor.request.path_params["id"]
    unit = try_channel_unit(ctx, visitor.desk, id, by=visitor.person.id)
    return redirect(f"/notifications?tried={await ctx.store.submit(unit)}")


def _page(
    visitor: Visitor,
    *,
    status: int = 200,
    problem: str | None = None,
    typed: Mapping[str, str] | None = None,
    signing: str = "",
    signing_of: str = "",
    tried: str | None = None,
) -> Response:
    ctx, desk = visitor.gateway.ctx, visitor.desk
    return visitor.render(
        "notifications.html",
        status=status,
        channels=ctx.store.read(lambda tx: channels_of(tx, desk)),
        people=ctx.store.read(lambda tx: tx.people.all(desk, PrincipalKind.PERSON)),
        kinds=_KINDS,
        topics=TOPICS,
        typed={} if typed is None else typed,
        problem=problem,
        signing=signing,
        signing_of=signing_of,
        tried=tried,
    )


def _wanted(visitor: Visitor, form: Mapping[str, str]) -> WantedChannel:
    """The channel of a form. Raises InvalidInput."""
    try:
        kind = ChannelKind(form.get("kind", ""))
        carries = Carries(form.get("carries", Carries.LINK.value))
    except ValueError:
        raise InvalidInput("field_malformed", "choose how people are told") from None
    mail = kind is ChannelKind.MAIL
    wanted = WantedChannel(
        kind=kind,
        label=form.get("label", "").strip(),
        console=visitor.origin,
        carries=carries,
        topics=tuple(topic for topic in CHOSEN_TOPICS if form.get(f"topic-{topic.value}")),
        pause_minutes=_number(form.get("pause", "10")),
        inside=form.get("inside") == "yes",
        url="" if mail else form.get("url", "").strip(),
    )
    if not mail:
        return wanted
    return msgspec.structs.replace(
        wanted,
        host=form.get("host", "").strip(),
        port=_number(form.get("port", "587")),
        user=form.get("user", "").strip(),
        password=form.get("password", ""),
        sender=form.get("sender", "").strip(),
        addresses=dict(_addresses(form.get("addresses", ""))),
    )


def _addresses(text: str) -> list[tuple[str, str]]:
    """One a line: a login name, and their address."""
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        person, _, address = line.strip().partition(" ")
        found.append((person, address.strip()))
    return found


def _number(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InvalidInput("channel_invalid", "a port and a pause are whole numbers")
    return int(text)
