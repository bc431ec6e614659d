"""Whom a desk can turn to: who may check, whether enough are there, what is handed to people."""
