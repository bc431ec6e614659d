"""Measurements of handrail beside other systems and on recorded traffic."""
