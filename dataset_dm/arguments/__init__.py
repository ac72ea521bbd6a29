"""What can be asked for: every argument is declared once, as a field of a table."""
