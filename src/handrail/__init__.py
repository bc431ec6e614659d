"""handrail: a control plane for AI customer-support agents."""

__version__ = "0.1.0"
