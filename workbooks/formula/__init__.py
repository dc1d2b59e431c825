"""The syntax of formulas: trees, references, names; and the catalogue of native functions."""
