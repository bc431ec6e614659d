"""handrail on real agents' recorded traffic, with the tau2 benchmark's own shops behind it."""
