"""Drafts a policy from what a system offers: an MCP server's tools, or an OpenAPI document.

A draft is where a person begins, never a verdict. What a tool says about itself can raise its
grade and never lower it; nothing runs alone but what two independent signs call a read; and every
guess stands in the YAML with a comment that begins with `CONFIRM`.
"""

from handrail.policy.draft.openapi import operations_of
from handrail.policy.draft.tools import tools_of
from handrail.policy.draft.write import Drafted, open_guesses, write_policy

__all__ = ["Drafted", "open_guesses", "operations_of", "tools_of", "write_policy"]
