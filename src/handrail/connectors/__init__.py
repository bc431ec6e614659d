"""The outside world: systems of record that the gateway reads and acts on with its own access."""
