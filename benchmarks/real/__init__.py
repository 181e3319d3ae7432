"""The optimizer on real input: what GetUsPPE.org was asked for and offered from April to July 2020."""
