"""A workbook as one HTML file that recalculates in the browser, with nothing to install."""
