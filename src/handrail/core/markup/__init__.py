"""HTML of a message: a few plain elements that every mail program shows alike, and nothing else."""
