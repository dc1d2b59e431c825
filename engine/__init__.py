"""The cost model of Tokenbook: NumPy in, NumPy out. It knows no spreadsheet."""
