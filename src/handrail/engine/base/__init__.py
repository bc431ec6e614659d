"""What every use case stands on: the context, a change with its entry, what is found in texts."""
