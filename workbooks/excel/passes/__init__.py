"""Rewriting rules, a file each: from a formula of Excel to one that the calculator gets right."""
