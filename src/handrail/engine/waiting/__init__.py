"""What waited goes on: read again, asked again, dispatched; and what time alone does."""
