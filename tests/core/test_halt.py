"""Which halt stops what: the scopes as a table, and the widest one that is named."""

from __future__ import annotations

import msgspec
import pytest

from handrail.core.halt import NO_HALTS, ActiveHalts, Halt, HaltScope

# what is halted | agent | kind | task | customers | stopped
CASES = """
desk                | bot | refund.issue | tk_1 | sub_1       | yes
agent bot           | bot | refund.issue | tk_1 | sub_1       | yes
agent bot           | ann | refund.issue | tk_1 | sub_1       | no
kind refund.issue   | bot | refund.issue | tk_1 | sub_1       | yes
kind refund.issue   | bot | reply.send   | tk_1 | sub_1       | no
kind refund.issue   | bot | -            | -    | sub_1       | no
task tk_1           | bot | refund.issue | tk_1 | sub_1       | yes
task tk_1           | bot | refund.issue | tk_2 | sub_1       | no
customer sub_1      | bot | refund.issue | tk_2 | sub_2 sub_1 | yes
customer sub_1      | bot | refund.issue | tk_2 | sub_2       | no
customer bot        | bot | refund.issue | tk_2 | sub_2       | no
"""


def halt(scope: HaltScope, target: str = "") -> Halt:
    """A halt that counts."""
    return Halt(
        desk="main",
        id=f"ha_{scope.value}_{target}",
        scope=scope,
        target=target,
        pulled_by="ann",
        pulled_at=1,
    )


@pytest.mark.parametrize("row", CASES.strip().splitlines())
def test_what_a_halt_stops(row: str) -> None:
    """I13: each scope stops what it names, and nothing else."""
    halted, agent, kind, task, customers, stopped = (part.strip() for part in row.split("|"))
    scope, _, target = halted.partition(" ")
    found = ActiveHalts([halt(HaltScope(scope), target)]).over(
        agent=agent,
        kind=None if kind == "-" else kind,
        task=None if task == "-" else task,
        customers=tuple(customers.split()),
    )
    assert (found is not None) is (stopped == "yes")


def test_the_widest_is_named() -> None:
    """Two halts stop the same: the one of the desk is named."""
    both = ActiveHalts([halt(HaltScope.TASK, "tk_1"), halt(HaltScope.DESK)])
    found = both.over(agent="bot", kind="refund.issue", task="tk_1")
    assert found is not None
    assert found.scope is HaltScope.DESK


def test_nothing_is_the_usual_case() -> None:
    """No halt is false; a lifted one stops nothing."""
    assert not NO_HALTS
    lifted = msgspec.structs.replace(halt(HaltScope.DESK), lifted_by="bea", lifted_at=2)
    assert not ActiveHalts([lifted])
    assert ActiveHalts([halt(HaltScope.DESK)])
