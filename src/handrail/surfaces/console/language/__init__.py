"""Which words, amounts and times a reader gets."""
