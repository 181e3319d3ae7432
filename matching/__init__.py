"""The optimizer: arrays in, a plan with its proof out."""
