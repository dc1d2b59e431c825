"""What a workbook of Excel can hold: looked at before the calculator sees anything.

Rows and columns are in `formula.address`; cells outside are refused as they are read (`scan`).
"""

from __future__ import annotations

#: Characters of a formula.
LONGEST_FORMULA = 8_192
#: Characters of a text in a cell.
LONGEST_TEXT = 32_767
#: How often Excel goes round a circle of formulas at most.
MOST_ITERATIONS = 32_767

#: What a spreadsheet takes for the beginning of a formula when it opens a .csv file.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
