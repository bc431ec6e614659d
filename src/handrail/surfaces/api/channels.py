"""Channels over HTTP: how people are told outside the console. Kept by administrators."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.notice import Channel
from handrail.core.principal import Role
from handrail.engine.telling.channels import (
    WantedChannel,
    add_channel_unit,
    end_channel_unit,
    recipients_of,
    try_channel_unit,
)
from handrail.store.protocol import ChannelState, Tx
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest
from handrail.surfaces.auth import check_role

__all__ = ["OPERATIONS", "ChannelView", "channels_of"]


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """One channel in use, without anything secret, and how it fares.

    `failed` counts tries since the last one that worked, `error` says why the last one did not;
    `sent` and `given_up` count messages. `people` are whom a mail channel leads to.
    """

    id: str
    kind: str
    label: str
    host: str
    port: int
    console: str
    carries: str
    topics: tuple[str, ...]
    pause_minutes: int
    inside: bool
    people: tuple[str, ...]
    made_at: int
    made_by: str
    sent: int
    sent_at: int | None
    failed: int
    failed_at: int | None
    given_up: int
    error: str | None


class ChannelsView(msgspec.Struct, frozen=True, kw_only=True):
    """Every channel in use, oldest first."""

    items: tuple[ChannelView, ...]


class AddedChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A new channel. `signing_secret` is what a webhook is signed with; it is shown this once."""

    channel: ChannelView
    signing_secret: str | None


class TriedView(msgspec.Struct, frozen=True, kw_only=True):
    """To how many a test message is on its way."""

    recipients: int


async def get_channels(call: Incoming) -> ChannelsView:
    """Where people are told, and whether it works."""
    person, ctx = call.by_person(), call.gateway.ctx
    check_role(person, Role.ADMIN)
    return ChannelsView(items=ctx.store.read(lambda tx: channels_of(tx, person.desk)))


async def add_channel(call: Incoming) -> AddedChannelView:
    """Add one. What is secret of it is sealed and never shown again."""
    wanted: WantedChannel = call.body
    person, ctx = call.by_person(), call.gateway.ctx
    unit = add_channel_unit(ctx, person.desk, wanted, by=person.id)
    channel, signing = await ctx.store.submit(unit)
    view = ctx.store.read(lambda tx: _view(tx, channel))
    return AddedChannelView(channel=view, signing_secret=signing or None)


async def end_channel(call: Incoming) -> ChannelsView:
    """End one: nothing more is sent on it. The others that are left."""
    person, ctx = call.by_person(), call.gateway.ctx
    id = call.scope["path_params"]["id"]
    await ctx.store.submit(end_channel_unit(person.desk, id, by=person.id))
    return ChannelsView(items=ctx.store.read(lambda tx: channels_of(tx, person.desk)))


async def try_channel(call: Incoming) -> TriedView:
    """Send a test message to everybody it leads to."""
    person, ctx = call.by_person(), call.gateway.ctx
    id = call.scope["path_params"]["id"]
    unit = try_channel_unit(ctx, person.desk, id, by=person.id)
    return TriedView(recipients=await ctx.store.submit(unit))


def channels_of(tx: Tx, desk: str) -> tuple[ChannelView, ...]:
    """The channels in use, as they may be shown."""
    return tuple(_view(tx, channel) for channel in tx.channels.live(desk))


def _view(tx: Tx, channel: Channel) -> ChannelView:
    state: ChannelState = tx.channels.state(channel.desk, channel.id)
    return ChannelView(
        id=channel.id,
        kind=channel.kind.value,
        label=channel.label,
        host=channel.host,
        port=channel.port,
        console=channel.console,
        carries=channel.carries.value,
        topics=channel.topics,
        pause_minutes=channel.pause_ms // 60_000,
        inside=channel.inside,
        people=tuple(one for one in recipients_of(tx, channel) if one),
        made_at=channel.made_at,
        made_by=channel.made_by,
        sent=state.sent,
        sent_at=state.sent_at,
        failed=state.failed,
        failed_at=state.failed_at,
        given_up=state.given_up,
        error=state.error,
    )


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/v1/channels",
        summary="How people are told outside the console",
        handle=get_channels,
        access=Access.PERSON,
        answer=ChannelsView,
        problems=("role_missing",),
    ),
    Operation(
        method="POST",
        path="/v1/channels",
        summary="Add a channel",
        handle=add_channel,
        access=Access.PERSON,
        body=WantedChannel,
        answer=AddedChannelView,
        status=201,
        problems=("role_missing", "channel_invalid", "extra_missing"),
    ),
    Operation(
        method="POST",
        path="/v1/channels/{id}/end",
        summary="End a channel",
        handle=end_channel,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=ChannelsView,
        problems=("role_missing", "channel_not_found"),
    ),
    Operation(
        method="POST",
        path="/v1/channels/{id}/try",
        summary="Send a test message",
        handle=try_channel,
        access=Access.PERSON,
        body=EmptyRequest,
        answer=TriedView,
        problems=("role_missing", "channel_not_found"),
    ),
)
