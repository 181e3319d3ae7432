"""The first nine months of 2023 in the demo county, lived through the services of the house."""
