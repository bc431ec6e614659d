"""What holds on the whole desk: ceilings, stops, and who is told where."""
