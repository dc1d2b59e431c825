"""A workbook looked at by others: its values, its formulas, and what other programs make of it."""
