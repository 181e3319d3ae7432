"""The optimizer on files: needs and offers in, a plan out, without a server."""
