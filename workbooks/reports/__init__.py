"""What a simulation says, written down: tables, or a workbook to read and print."""
