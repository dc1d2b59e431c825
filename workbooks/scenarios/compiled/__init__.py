"""A workbook compiled into NumPy: every formula between some inputs and outputs, over many draws.

`values` says what a cell holds in all draws; `operators`, `functions`, `lookups`, `criteria` and
`own` compute with it; `evaluate` goes through a formula's tree, and `program` through a workbook.
"""
