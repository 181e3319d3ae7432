"""The command line: aidloop serve, worker, migrate, demo, doctor, import, match."""
