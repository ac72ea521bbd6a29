"""Trainers people already have: small untrained models of transformers learn from our sets, in columns as they come."""
