"""Cards: the templates, shipped as package data, and what is common to cards of sets and of models."""
