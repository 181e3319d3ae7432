"""Data that comes with the package: regions, categories, lines of assistance."""
