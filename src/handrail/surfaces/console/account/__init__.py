"""Coming in, going out, and how one proves who one is."""
