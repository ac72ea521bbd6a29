"""Four versions of `datasets` and the libraries of their time, each in a virtual environment of its own."""
