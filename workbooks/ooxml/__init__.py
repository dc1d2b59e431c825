"""The bytes of a workbook: zip package, rows, cells, names, tables. Understands no formula."""
