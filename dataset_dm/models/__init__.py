"""Finds a model and reads what it says of itself; never loads torch."""
