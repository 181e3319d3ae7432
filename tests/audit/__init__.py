"""What the specification's audit and real clients say about a server."""
