"""The smallest builder that `load_dataset` accepts, for the tests of the registry."""

from collections.abc import Iterator

import datasets
import pyarrow as pa


class TinyConfig(datasets.BuilderConfig):
    """One argument beyond those of `datasets`, to see that it arrives."""

    def __init__(self, rows: int = 3, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.rows = rows


class Tiny(datasets.ArrowBasedBuilder):
    """Rows `number` = 0, 1, 2, … and their squares."""

    BUILDER_CONFIG_CLASS = TinyConfig
    BUILDER_CONFIGS = [TinyConfig(name="squares", version=datasets.Version("1.0.0"))]
    DEFAULT_CONFIG_NAME = "squares"

    def _info(self) -> datasets.DatasetInfo:
        features = {"number": datasets.Value("int64"), "square": datasets.Value("int64")}
        return datasets.DatasetInfo(features=datasets.Features(features))

    def _split_generators(self, dl_manager: object) -> list[datasets.SplitGenerator]:
        return [datasets.SplitGenerator("train", gen_kwargs={"rows": self.config.rows})]

    def _generate_tables(self, rows: int) -> Iterator[tuple[int, pa.Table]]:
        numbers = list(range(rows))
        yield 0, pa.table({"number": numbers, "square": [n * n for n in numbers]})
