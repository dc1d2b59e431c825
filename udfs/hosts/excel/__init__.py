"""Excel on Windows, by classic xlwings: the exported functions, the VBA in an .xlsm, the set-up."""
