"""The ways in: embedded, HTTP, console, command line."""
