"""What leaves the desk to tell people: the courier, and one module for each kind of channel."""
