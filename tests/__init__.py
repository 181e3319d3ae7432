"""The tests, through the public faces: GraphQL over HTTP, the command line, matching.solve."""
