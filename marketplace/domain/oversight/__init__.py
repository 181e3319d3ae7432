"""Rules of oversight: cases of integrity with restrictions, and statistics of the loop."""
