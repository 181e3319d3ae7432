"""The marketplace: its rules, its rows, its use cases and its command line."""
