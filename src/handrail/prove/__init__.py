"""Proving that the gate works: the log verified, and what follows from it."""
