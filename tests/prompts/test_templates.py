"""Templates: balanced, one or two classes, a pure function of (seed, split, index)."""

from collections import Counter

from dataset_dm.miniature.world import VOC_CLASSES
from dataset_dm.prompts import Templates, find_classes, source_from_dict

VOC = Templates(VOC_CLASSES)


def test_the_same_index_always_has_the_same_prompt() -> None:
    forwards = [VOC.prompt(0, "train", i) for i in range(100)]
    backwards = [Templates(VOC_CLASSES).prompt(0, "train", i) for i in reversed(range(100))]
    assert forwards == backwards[::-1]


def test_seed_and_split_make_other_prompts() -> None:
    sets = [
        [VOC.prompt(seed, split, i) for i in range(40)] for seed, split in ((0, "train"), (1, "train"), (0, "test"))
    ]
    assert sets[0] != sets[1] and sets[0] != sets[2]


def test_every_class_leads_one_prompt_of_every_round() -> None:
    for start in (0, 20, 180):
        leaders = Counter(VOC.prompt(3, "train", i).classes[0] for i in range(start, start + 20))
        assert leaders == Counter(VOC_CLASSES)


def test_three_in_five_prompts_name_one_class() -> None:
    sizes = Counter(len(VOC.prompt(0, "train", i).classes) for i in range(2000))
    assert set(sizes) == {1, 2}
    assert 0.56 < sizes[1] / 2000 < 0.64


def test_the_text_names_exactly_the_classes() -> None:
    for i in range(500):
        prompt = VOC.prompt(0, "train", i)
        assert sorted(find_classes(prompt.text, VOC_CLASSES)) == sorted(prompt.classes), prompt


def test_counts_colours_and_places_occur() -> None:
    texts = [VOC.prompt(0, "train", i).text for i in range(400)]
    for words in ("two ", "three ", " red ", " in a room", " on a street", " and ", " next to "):
        assert any(words in text for text in texts), words


def test_own_classes_are_written_as_they_are() -> None:
    own = Templates(("forklift", "oil_drum"))
    prompts = [own.prompt(0, "train", i) for i in range(60)]
    assert any("an oil drum" in prompt.text for prompt in prompts)
    assert all(set(prompt.classes) <= {"forklift", "oil_drum"} for prompt in prompts)
    alone = Templates(("forklift",))
    assert all(alone.prompt(0, "train", i).classes == ("forklift",) for i in range(20))


def test_the_dict_form_tells_other_words_apart() -> None:
    assert source_from_dict(VOC.to_dict()) == VOC
    assert VOC.to_dict()["words"] != Templates(VOC_CLASSES[::-1]).to_dict()["words"]
