"""The calculator: the embedded spreadsheet engine, behind one protocol."""
