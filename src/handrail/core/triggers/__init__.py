"""Reply triggers: what a deterministic look finds in a text that leaves the desk, by offset."""
