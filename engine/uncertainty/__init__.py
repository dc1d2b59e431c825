"""Uncertainty: distributions, draws that no cut changes, and what they say of a result."""
