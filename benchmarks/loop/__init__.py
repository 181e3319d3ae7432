"""A month of a county through the services: from registered to acknowledged."""
