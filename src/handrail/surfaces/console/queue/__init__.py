"""What waits for a person: the queue, finding in it, who is at what, and keeping it live."""
