"""Cards: the templates, shipped as package data, and the code that cards of datasets and of models share."""
