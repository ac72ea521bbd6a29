"""The 20 VOC classes as assemblies of solids: `build(class_id, rng)` makes one figure.

Figures of a class differ in proportions, variant and pose. Every figure has the same size (see `parts.normalise`) and
names material slots only, in much the same shares for every class: neither size nor colour tells a class, its shape
does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.geometry import Figure
from dataset_dm.miniature.world.objects import animals, cycles, furniture, household, person, pets, vehicles
from dataset_dm.miniature.world.objects.parts import normalise

_BUILDERS: dict[str, Callable[[np.random.Generator], Figure]] = {
    "aeroplane": vehicles.aeroplane,
    "bicycle": cycles.bicycle,
    "bird": animals.bird,
    "boat": vehicles.boat,
    "bottle": household.bottle,
    "bus": vehicles.bus,
    "car": vehicles.car,
    "cat": pets.cat,
    "chair": furniture.chair,
    "cow": animals.cow,
    "diningtable": furniture.diningtable,
    "dog": pets.dog,
    "horse": animals.horse,
    "motorbike": cycles.motorbike,
    "person": person.person,
    "pottedplant": household.pottedplant,
    "sheep": animals.sheep,
    "sofa": furniture.sofa,
    "train": vehicles.train,
    "tvmonitor": household.tvmonitor,
}


def build(class_id: int, rng: np.random.Generator) -> Figure:
    """One figure of class 1..20 (VOC order), normalised; the same state of `rng` gives the same figure.

    Raises ValueError for an id outside 1..20.
    """
    if not 1 <= class_id <= len(VOC_CLASSES):
        raise ValueError(f"class_id: got {class_id!r}, expected 1..{len(VOC_CLASSES)} (VOC order, 0 is background)")
    return normalise(_BUILDERS[VOC_CLASSES[class_id - 1]](rng))
