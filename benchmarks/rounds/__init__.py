"""The GetUsPPE requests in weekly rounds, by the testing framework of the package ppe-match."""
