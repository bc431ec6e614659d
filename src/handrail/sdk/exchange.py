"""One step at a time, done for real: the only code here that touches a socket, a clock or a tool.

The synchronous and the asynchronous half do the same and share what is neither.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, cast

import httpx

from handrail.sdk.steps import (
    NoReply,
    Pause,
    Said,
    Step,
    ToolFailed,
    ToolReturned,
    ToolRun,
    WireCall,
    WireReply,
)

__all__ = ["adone", "done"]

CONNECT_S: Final = 5.0
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def done(step: Step, http: httpx.Client, base_url: str) -> Said:
    """Do a step in this thread."""
    match step:
        case WireCall():
            try:
                return _reply(http.send(_request(http, base_url, step)))
            except httpx.HTTPError as error:
                return _no_reply(error)
        case ToolRun():
            try:
                return ToolReturned(value=step.call())
            except Exception as error:
                return ToolFailed(error=error)
        case Pause():
            time.sleep(step.seconds)
            return None


async def adone(step: Step, http: httpx.AsyncClient, base_url: str) -> Said:
    """Do a step in this event loop."""
    match step:
        case WireCall():
            try:
                return _reply(await http.send(_request(http, base_url, step)))
            except httpx.HTTPError as error:
                return _no_reply(error)
        case ToolRun():
            try:
                return ToolReturned(value=await cast(Awaitable[object], step.call()))
            except Exception as error:
                return ToolFailed(error=error)
        case Pause():
            await asyncio.sleep(step.seconds)
            return None


def _request(
    http: httpx.Client | httpx.AsyncClient, base_url: str, call: WireCall
) -> httpx.Request:
    headers = {"accept": "application/json"}
    if call.token is not None:
        headers["authorization"] = f"Bearer {call.token}"
    if call.body is not None:
        headers["content-type"] = "application/json"
    timeout = httpx.Timeout(call.read_s, connect=CONNECT_S)
    url = base_url + call.path
    return http.build_request(call.method, url, headers=headers, content=call.body, timeout=timeout)


def _reply(response: httpx.Response) -> WireReply:
    # WHY NOT: the other form of Retry-After, a date. It needs a clock that both sides agree on.
    after = response.headers.get("retry-after", "")
    seconds = float(after) if after.isascii() and after.isdigit() else None
    return WireReply(status=response.status_code, body=response.content, retry_after_s=seconds)


def _no_reply(error: httpx.HTTPError) -> NoReply:
    return NoReply(why=type(error).__name__, sent=not isinstance(error, _NEVER_SENT))
