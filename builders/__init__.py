"""Builders of `datasets`: thin leaves that ask the engine for what is missing, then only read."""
