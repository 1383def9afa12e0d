"""What the product is measured with. `./just bench` runs it; docs/measurements.md has the results."""
