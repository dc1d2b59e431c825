"""From what a template says to a finished file: layout, parts, style, charts, writer."""
