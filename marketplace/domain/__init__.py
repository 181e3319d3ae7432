"""The rules of the marketplace as frozen values and pure functions; the standard library only."""
