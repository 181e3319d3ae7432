"""The picture of a plan: over HTTP, from the command line, and what it says of few."""
