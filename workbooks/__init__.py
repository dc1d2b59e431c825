"""Template workbooks, their recalculation without Excel, and the command line."""
