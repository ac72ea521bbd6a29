"""Measurements of images, labels and speed with real models, and their reports."""
