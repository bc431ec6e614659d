"""The durable truth: proposals, reviews, tasks, people, content, caps and the log."""
