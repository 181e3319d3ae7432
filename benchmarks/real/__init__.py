"""The optimizer on real input: GetUsPPE.org's requests and offers, April to July 2020."""
