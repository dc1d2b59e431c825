"""Worksheet functions that replace the calculator's, or that it lacks."""
