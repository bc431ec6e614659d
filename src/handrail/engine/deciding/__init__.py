"""What people do about one action: review it, correct it, take it back, say what became of it."""
