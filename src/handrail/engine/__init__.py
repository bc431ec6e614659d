"""The use cases, each in the room of what it is for; pyproject.toml has the order of the rooms."""
