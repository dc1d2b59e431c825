"""A workbook as a function of its inputs: many scenarios in, some cells out."""
