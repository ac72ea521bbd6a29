"""Heads of cards that people wrote: joined with ours, nothing of theirs lost."""

from datasets import DatasetInfo, Features, SplitDict, SplitInfo, Value

from dataset_dm.hub.card_yaml import default_config, features_of, head, merge_heads, rows_of, without

FEATURES = Features({"a": Value("int32")})


def info(**rows: int) -> DatasetInfo:
    sizes = SplitDict()
    for name, count in rows.items():
        sizes.add(SplitInfo(name, num_bytes=10 * count, num_examples=count))
    total = sum(rows.values())
    return DatasetInfo(features=FEATURES, splits=sizes, download_size=5 * total, dataset_size=10 * total)


def ours(config: str = "semantic", **rows: int) -> dict:
    counts = rows or {"train": 4}
    return head("voc_synth", config, info(**counts), {split: f"{config}/{split}-*" for split in counts})


def test_a_head_of_one_config() -> None:
    made = ours()
    assert rows_of(made) == {"semantic": {"train": 4}} and default_config(made) == "semantic"
    assert features_of(made, "semantic") == FEATURES and features_of(made, "depth") is None
    assert made["size_categories"] == ["n<1K"] and "license" not in made


def test_what_people_wrote_stays() -> None:
    merged = merge_heads({"license": "mit", "tags": "cats", "language": ["en"], "pretty_name": "Cats"}, ours())
    assert (merged["license"], merged["language"], merged["pretty_name"]) == ("mit", ["en"], "Cats")
    assert merged["tags"] == ["cats", "synthetic", "dataset-dm", "diffusers"]


def test_configs_side_by_side_and_the_default_stays() -> None:
    merged = merge_heads(merge_heads({}, ours(train=600)), ours("depth", train=500))
    assert rows_of(merged) == {"semantic": {"train": 600}, "depth": {"train": 500}}
    assert default_config(merged) == "semantic" and "default" not in merged["configs"][1]
    assert merged["size_categories"] == ["1K<n<10K"]
    assert rows_of(without(merged, "semantic")) == {"depth": {"train": 500}}


def test_a_split_that_is_not_pushed_stays() -> None:
    merged = merge_heads(ours(train=4, test=2), ours(train=6))
    (entry,) = merged["dataset_info"]
    assert rows_of(merged) == {"semantic": {"train": 6, "test": 2}}
    assert (entry["dataset_size"], entry["download_size"]) == (80, 40)  # 60 + 20; 30 + a third of 30
    assert [one["split"] for one in merged["configs"][0]["data_files"]] == ["train", "test"]


def test_heads_written_loosely() -> None:
    loose = {"dataset_info": {"features": [{"name": "a", "dtype": "int32"}]}, "configs": [{"data_files": "x.csv"}, 7]}
    assert rows_of(loose) == {"default": {}} and default_config(loose) == "default"
    assert features_of(loose, "default") == FEATURES
    merged = merge_heads(loose, ours())
    assert [entry.get("config_name", "default") for entry in merged["configs"]] == ["default", "semantic"]
    again = merge_heads({"configs": [{"config_name": "semantic", "data_files": "old.csv"}]}, ours())
    assert again["configs"][0]["data_files"] == [{"split": "train", "path": "semantic/train-*"}]
