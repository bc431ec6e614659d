"""The record over the years: signed heads, the way back from a backup, erasure."""
