"""What changes for whom when one policy takes the place of another: by meaning, not by text.

Both policies are compiled as they run live, and asked about every class of inputs there is; what is
not decided action by action (ceilings, clocks, lanes) is compared by which way it goes.
"""

from __future__ import annotations

from handrail.core.decide import compile_policy
from handrail.core.policy import Policy
from handrail.policy.bounds import bounded_otherwise
from handrail.policy.declared import declared_otherwise
from handrail.policy.difference import Difference
from handrail.policy.probe import decided_otherwise, reached_otherwise

__all__ = ["compare"]


def compare(old: Policy, new: Policy) -> tuple[Difference, ...]:
    """Every class of inputs and every setting in which `new` is looser, tighter or different.

    INVARIANT: an input about which `new` gives a lower guard or a lower grade than `old` is in a
    class that this calls looser. Raises PolicyInvalid when one of them does not compile.
    """
    before, after = compile_policy(old), compile_policy(new)
    return (
        *decided_otherwise(before, after),
        *reached_otherwise(before, after),
        *declared_otherwise(old, new),
        *bounded_otherwise(old, new),
    )
