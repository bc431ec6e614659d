"""The use cases: propose, review, execute, settle, sweep, undo, escalate."""
