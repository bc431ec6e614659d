"""Tries a policy on a scratch desk: each control with something it lets by and something it stops.

What is tried is the gateway and the policy, against stand-ins for the connectors. What a real
connector does with a request is its own tests' business.
"""

from handrail.prove.trial.outcome import Proof, Trial, worst_of
from handrail.prove.trial.run import try_policy
from handrail.prove.trial.stage import Opener

__all__ = ["Opener", "Proof", "Trial", "try_policy", "worst_of"]
