"""What was asked for, checked and resolved to a frozen plan."""
