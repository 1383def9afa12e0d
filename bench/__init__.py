"""Measurements, which `./just bench` runs; docs/measurements.md has the results."""
