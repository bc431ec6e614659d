"""A reference support agent: it works through tickets and holds no credential but its own key."""
