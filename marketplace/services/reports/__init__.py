"""The picture of a plan: one page with charts, tables and its proof, that needs nothing else."""
