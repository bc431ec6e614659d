"""What is allowed happens, once: its caps, the attempt, the look-up of one that was lost."""
