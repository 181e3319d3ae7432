"""Rows: SQLAlchemy Core tables and plain async functions over them."""
