"""Miniature: the embedded text-to-image model, its world with exact labels, and its judge."""

from dataset_dm.models.embedded import MINIATURE as NAME
from dataset_dm.models.embedded import WEIGHTS, locate

__all__ = ["NAME", "WEIGHTS", "locate"]
