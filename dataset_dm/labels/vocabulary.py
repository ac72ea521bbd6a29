"""Reserved class ids, the classes of VOC, and the words that name them in prompts and captions."""

from __future__ import annotations

from dataclasses import dataclass

BACKGROUND = "background"  # id 0 of a class map
PERSON = "person"  # the class whose instances have keypoints
VOID = 255  # in a class map: uncertain, or not labelled
MOST_IDS = VOID - 1  # classes, or instances, that an 8-bit map can hold


@dataclass(frozen=True, slots=True)
class ClassWords:
    """Words of one class: `plural[i]` belongs to `singular[i]`, and the first of each is the display name.

    `also`: words that mean the class in a prompt, but that no caption uses (the generator has not learnt them).
    """

    singular: tuple[str, ...]
    plural: tuple[str, ...]
    also: tuple[str, ...] = ()


WORDS: dict[str, ClassWords] = {
    "aeroplane": ClassWords(
        ("aeroplane", "airplane", "plane"),
        ("aeroplanes", "airplanes", "planes"),
        ("jet", "jets", "aircraft", "airliner"),
    ),
    "bicycle": ClassWords(("bicycle", "bike"), ("bicycles", "bikes"), ("cycle", "cycles")),
    "bird": ClassWords(("bird",), ("birds",), ("pigeon", "pigeons", "seagull", "seagulls", "duck", "ducks")),
    "boat": ClassWords(("boat",), ("boats",), ("ship", "ships", "sailboat", "sailboats", "motorboat", "motorboats")),
    "bottle": ClassWords(("bottle",), ("bottles",)),
    "bus": ClassWords(("bus",), ("buses",), ("busses", "minibus", "minibuses")),
    "car": ClassWords(("car",), ("cars",), ("automobile", "automobiles", "taxi", "taxis")),
    "cat": ClassWords(("cat",), ("cats",), ("kitten", "kittens")),
    "chair": ClassWords(("chair",), ("chairs",), ("armchair", "armchairs", "stool", "stools")),
    "cow": ClassWords(("cow",), ("cows",), ("bull", "bulls", "cattle", "calf", "calves")),
    "diningtable": ClassWords(
        ("dining table", "table"), ("dining tables", "tables"), ("diningtable", "diningtables", "desk", "desks")
    ),
    "dog": ClassWords(("dog",), ("dogs",), ("puppy", "puppies")),
    "horse": ClassWords(("horse",), ("horses",), ("pony", "ponies", "foal", "foals")),
    "motorbike": ClassWords(
        ("motorbike", "motorcycle"), ("motorbikes", "motorcycles"), ("motor bike", "motor bikes", "scooter", "scooters")
    ),
    "person": ClassWords(
        ("person",),
        ("people",),
        (
            *("persons", "someone", "man", "men", "woman", "women", "boy", "boys", "girl", "girls"),
            *("child", "children", "lady", "ladies", "guy", "guys", "kid", "kids"),
        ),
    ),
    "pottedplant": ClassWords(
        ("potted plant", "plant"),
        ("potted plants", "plants"),
        ("pottedplant", "pottedplants", "houseplant", "houseplants"),
    ),
    "sheep": ClassWords(("sheep",), ("sheep",), ("lamb", "lambs")),
    "sofa": ClassWords(("sofa", "couch"), ("sofas", "couches"), ("settee", "settees")),
    "train": ClassWords(("train",), ("trains",), ("locomotive", "locomotives")),
    "tvmonitor": ClassWords(
        ("tv monitor", "tv", "television", "monitor"),
        ("tv monitors", "tvs", "televisions", "monitors"),
        ("tvmonitor", "tvmonitors", "computer screen", "television set"),
    ),
}


def display_name(name: str) -> str:
    """A class name as written text: "diningtable" -> "dining table"; unknown names are returned unchanged."""
    return WORDS[name].singular[0] if name in WORDS else name


VOC_CLASSES: tuple[str, ...] = tuple(WORDS)
