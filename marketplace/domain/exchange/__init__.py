"""What is asked for and given: consents, needs, offers, plans and allocations."""
