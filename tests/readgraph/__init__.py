"""Tests of the read graph."""
