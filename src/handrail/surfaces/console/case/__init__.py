"""The page of one action, and everything that a person does on it."""
