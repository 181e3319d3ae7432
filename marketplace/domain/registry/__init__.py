"""Whom and what the marketplace knows: regions, categories, organizations, households."""
