"""From an agent's call to a durable decision, and what the agent is told of it."""
