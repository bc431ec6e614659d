"""The lists beside the queue: what ran alone, what is going out, what was handed to a person."""
