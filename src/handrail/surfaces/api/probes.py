"""What a supervisor and a monitor ask: is it up, does it take work, how much is there."""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.errors import HandrailError
from handrail.surfaces.api.answers import HealthView, ReadyView
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.api.incoming import Answer, Incoming
from handrail.surfaces.api.metrics import METRICS_TYPE, metrics_text
from handrail.surfaces.api.operations import Operation

__all__ = ["OPERATIONS"]


async def get_health(call: Incoming) -> HealthView:
    """The process is up and answers."""
    return HealthView(ok=True)


async def get_readiness(call: Incoming) -> Answer:
    """Whether work is taken: a policy is loaded, the store can be written, nothing is broken."""
    reasons = await _reasons(call.gateway)
    view = ReadyView(ready=not reasons, reasons=reasons)
    return Answer(status=503 if reasons else 200, body=msgspec.json.encode(view))


async def get_metrics(call: Incoming) -> Answer:
    """Counts for a monitor."""
    return Answer(body=metrics_text(call.gateway), content_type=METRICS_TYPE.encode())


async def _reasons(gateway: Gateway) -> list[str]:
    reasons = []
    if not gateway.ctx.rulebooks:
        reasons.append("no policy is loaded")
    reasons += gateway.ctx.doubts.values()
    try:
        gateway.runner.check_working()
        # An empty unit: the store opens a writing transaction for it, and that is what can fail.
        await gateway.ctx.store.submit(lambda tx: None)
    except HandrailError as error:
        reasons.append(error.message)
    return reasons


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/healthz",
        summary="The process is up",
        handle=get_health,
        answer=HealthView,
    ),
    Operation(
        method="GET",
        path="/readyz",
        summary="Whether work is taken",
        handle=get_readiness,
        answer=ReadyView,
        refused=503,
    ),
    Operation(
        method="GET",
        path="/metrics",
        summary="Counts for a monitor",
        handle=get_metrics,
        content_type=METRICS_TYPE,
    ),
)
