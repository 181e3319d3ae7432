"""The read graph against the same schema written with ORM entities and DataLoaders."""
