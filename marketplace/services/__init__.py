"""The use cases: decide in memory, one write(), the event inside it, return the value."""
