"""What a monitor scrapes: counts that the store keeps, and how the runner is doing.

Nothing is counted twice: every number is read when it is asked for, in a registry of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from handrail.core.lifecycle import State
from handrail.store.protocol import Tx
from handrail.surfaces.api.gateway import Gateway

__all__ = ["METRICS_TYPE", "metrics_text"]

METRICS_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_STATE: Final = "state:"
_CONTROL: Final = "control:"
_REFUSED: Final = "refused:"


def metrics_text(gateway: Gateway) -> bytes:
    """The metrics in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Desks(gateway))
    registry.register(_Channels(gateway))
    registry.register(_Process(gateway))
    return generate_latest(registry)


class _Desks(Collector):
    """What the store says of each desk, from one snapshot."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        labels = ["desk"]
        decisions = CounterMetricFamily(
            "handrail_decisions", "Actions decided, by control", labels=["desk", "control"]
        )
        refused = CounterMetricFamily(
            "handrail_refused", "Actions refused, by the first reason", labels=["desk", "reason"]
        )
        actions = GaugeMetricFamily(
            "handrail_actions", "Actions, by the state they are in", labels=["desk", "state"]
        )
        depth = GaugeMetricFamily(
            "handrail_queue_depth", "Actions that wait for a person", labels=labels
        )
        oldest = GaugeMetricFamily(
            "handrail_pending_oldest_seconds",
            "How long the action with the nearest deadline has waited",
            labels=labels,
        )
        handed = GaugeMetricFamily(
            "handrail_escalations_open", "Hand-offs that nobody has closed", labels=labels
        )
        late = GaugeMetricFamily(
            "handrail_escalations_overdue", "Open hand-offs past their deadline", labels=labels
        )
        halts = GaugeMetricFamily("handrail_halts_active", "Halts that count now", labels=labels)
        size = GaugeMetricFamily("handrail_log_size", "Entries in the log", labels=labels)

        def look(tx: Tx) -> None:
            for desk in self._gateway.ctx.rulebooks:
                counters = tx.counters.of(desk)
                for control, n in _named(counters, _CONTROL):
                    decisions.add_metric([desk, control], n)
                for reason, n in _named(counters, _REFUSED):
                    refused.add_metric([desk, reason], n)
                late.add_metric([desk], counters.get("escalations_overdue", 0))
                halts.add_metric([desk], counters.get("halts", 0))
                for state, n in _named(counters, _STATE):
                    actions.add_metric([desk, state], n)
                depth.add_metric([desk], counters.get(_STATE + State.PENDING.value, 0))
                first = tx.proposals.queue(desk, most=1)
                waited_ms = tx.now - first[0].created_at if first else 0
                oldest.add_metric([desk], max(0, waited_ms) / 1_000)
                handed.add_metric([desk], counters.get("escalations", 0))
                size.add_metric([desk], tx.log.size(desk))

        self._gateway.ctx.store.read(look)
        yield from (decisions, refused, actions, depth, oldest, handed, late, halts, size)


class _Channels(Collector):
    """How the ways to tell people fare."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        labels = ["desk", "channel", "kind"]
        failed = GaugeMetricFamily(
            "handrail_channel_failures",
            "Tries that failed on a channel since the last one that worked",
            labels=labels,
        )
        sent = CounterMetricFamily(
            "handrail_letters_sent", "Messages that a channel has taken", labels=labels
        )
        given_up = CounterMetricFamily(
            "handrail_letters_given_up", "Messages that were given up", labels=labels
        )

        def look(tx: Tx) -> None:
            for desk in self._gateway.ctx.rulebooks:
                for channel in tx.channels.live(desk):
                    state = tx.channels.state(desk, channel.id)
                    named = [desk, channel.id, channel.kind.value]
                    failed.add_metric(named, state.failed)
                    sent.add_metric(named, state.sent)
                    given_up.add_metric(named, state.given_up)

        self._gateway.ctx.store.read(look)
        yield from (failed, sent, given_up)


class _Process(Collector):
    """What this process is doing."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        runner = self._gateway.runner
        yield GaugeMetricFamily(
            "handrail_attempts_unsettled",
            "Attempts that were claimed and are not settled yet",
            value=runner.unsettled,
        )
        yield GaugeMetricFamily(
            "handrail_callers_waiting",
            "Callers that wait for an action to end",
            value=runner.waiting,
        )
        yield GaugeMetricFamily(
            "handrail_worker_broken",
            "1 after a broken invariant has stopped the worker",
            value=0 if runner.broken is None else 1,
        )
        yield GaugeMetricFamily(
            "handrail_calls_hanging",
            "Calls to connectors that have not come back and are left to themselves",
            value=runner.hanging,
        )
        left_alone = GaugeMetricFamily(
            "handrail_connector_left_alone",
            "1 while a connector has stopped answering and is left alone for a moment",
            labels=["connector"],
        )
        open_ones = self._gateway.ctx.circuits.open()
        for name in self._gateway.ctx.connectors:
            left_alone.add_metric([name], int(name in open_ones))
        yield left_alone
        answers = CounterMetricFamily(
            "handrail_http_requests",
            "Answers given over HTTP",
            labels=["path", "method", "status"],
        )
        for (path, method, status), n in sorted(self._gateway.answered.items()):
            answers.add_metric([path, method, str(status)], n)
        yield answers


def _named(counters: Mapping[str, int], prefix: str) -> Iterator[tuple[str, int]]:
    for name, n in counters.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), n
