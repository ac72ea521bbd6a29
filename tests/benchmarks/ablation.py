"""What each part of the decoder is worth, one factor at a time: `python -m tests.benchmarks.ablation`.

A decoder is trained on cached features and measured unprompted for every setting; it differs from its `against` in one
setting. Features are extracted once for each reading of the generator;
settings that read less take a part of what is there. All settings take an hour or more.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from dataset_dm.decoder import LossConfig, PDecoder, PDecoderConfig
from dataset_dm.diffusion import DEFAULT_TIMESTEP, Backbone, feature_spec
from dataset_dm.evaluation.options import add_options, count, open_backbone
from dataset_dm.evaluation.outcome import Outcome, check_folder, deliver
from dataset_dm.hypercolumns import FeatureSpec
from dataset_dm.labels.tasks import TASKS
from dataset_dm.metrics.report import Report, Table
from dataset_dm.optimization.randomness import seeded
from dataset_dm.readers.miniature import labelled_renders
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.features import FeatureStore, VariantConfig, extract
from dataset_dm.training.inputs import depth_range
from dataset_dm.training.loop import Training
from dataset_dm.training.validation import Figures, measure
from tests.benchmarks.choice import chosen

BASE = "as shipped"
BARE = "no contrast"  # what other noise levels are compared with: their contrast would be asked at other levels too


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a decoder reads and learns from.

    Args:
        name: as the table calls it.
        against: the setting that it differs from in one setting.
        sources: parts of the generator whose levels are read ("unet", "vae", "image").
        contrast: whether the contrast evidence is read.
        timestep: noise level of the labelling pass.
        labelled: number of labelled renders.
        decoder, loss: fields of PDecoderConfig and LossConfig that differ from the defaults.
    """

    name: str
    against: str = BASE
    sources: tuple[str, ...] = ("unet", "vae", "image")
    contrast: bool = True
    timestep: int = DEFAULT_TIMESTEP
    labelled: int = 100
    decoder: Mapping[str, Any] = field(default_factory=dict)
    loss: Mapping[str, float] = field(default_factory=dict)

    def spec(self, whole: FeatureSpec) -> FeatureSpec:
        """The part of a reading that this setting takes."""
        return replace(
            whole,
            levels=tuple(level for level in whole.levels if level.source in self.sources),
            contrast=whole.contrast if self.contrast else (),
        )


SETTINGS = (
    Setting(name=BASE),
    Setting(name="UNet taps alone", sources=("unet",)),
    Setting(name="UNet and VAE taps, no image", sources=("unet", "vae")),
    Setting(name="VAE taps and image alone", sources=("vae", "image")),
    Setting(name="no class attention", decoder={"attention": False}),
    Setting(name=BARE, contrast=False),
    Setting(name="no contrast, t = 20", against=BARE, contrast=False, timestep=20),
    Setting(name="no contrast, t = 250", against=BARE, contrast=False, timestep=250),
    Setting(name="last layer supervised alone", loss={"inner": 0.0}),
    Setting(name="words never hidden", decoder={"text_dropout": 0.0}),
    Setting(name="10 labelled", labelled=10),
    Setting(name="30 labelled", labelled=30),
    Setting(name="300 labelled", labelled=300),
)


@dataclass(frozen=True)
class Result:
    """Figures of one setting, unprompted and prompted, one entry a seed."""

    setting: Setting
    unprompted: list[Figures]
    prompted: list[Figures]


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """How settings are compared.

    Args:
        backbone: the embedded generator.
        folder: where features are kept.
        train: settings of every training; its variants are those that are extracted.
        test: number of test renders.
        validation: number of validation renders, by which weights are kept.
        seeds: a training each.
        say: takes progress lines.
    """

    backbone: Backbone
    folder: Path
    train: TrainConfig
    test: int
    validation: int = 100
    seeds: Sequence[int] = (0,)
    say: Callable[[str], None]

    def run(self, setting: Setting) -> Result:
        """Trains and measures one setting."""
        stores = {
            split: self._store(split, images, setting)
            for split, images in (("train", setting.labelled), ("validation", self.validation), ("test", self.test))
        }
        unprompted, prompted = [], []
        for seed in self.seeds:
            decoder = self._train(setting, stores, seed)
            unprompted.append(measure(decoder, stores["test"]))
            prompted.append(measure(decoder, stores["test"], variant=1))
        return Result(setting, unprompted, prompted)

    def _store(self, split: str, images: int, setting: Setting) -> FeatureStore:
        """Features of the whole reading, of which the setting takes its part."""
        whole = feature_spec(self.backbone, timestep=setting.timestep)
        if not setting.contrast and setting.timestep != DEFAULT_TIMESTEP:
            whole = replace(whole, contrast=())  # not read
        train = self.train
        changed = VariantConfig(count=train.variants, seed=train.seed, augment=train.augment)
        variants = changed if split == "train" else VariantConfig(count=2, plain=True)
        folder = self.folder / f"{split}-{images}-t{setting.timestep}"

        def report(done: int, total: int, seconds: float) -> None:
            if done == total or done % 160 == 0:
                self.say(f"{setting.name}: features of {split} {done}/{total}  {done / seconds:.1f}/s")

        store = extract(labelled_renders(split, images), self.backbone, whole, folder, variants, report=report)
        return store.part(setting.spec(whole))

    def _train(self, setting: Setting, stores: Mapping[str, FeatureStore], seed: int) -> PDecoder:
        data = labelled_renders("train", setting.labelled)
        config = replace(self.train, seed=seed, loss=replace(self.train.loss or LossConfig(), **setting.loss))
        spec = stores["train"].spec
        shape = {"tasks": tuple(TASKS), "depth_range": depth_range(data), **setting.decoder}
        with seeded(seed, torch.device("cpu")):
            decoder = PDecoder(PDecoderConfig(spec=spec, classes=data.classes, **shape))
        items = [(i, i % stores["train"].variants) for i in range(min(64, stores["train"].images))]
        decoder.fit_scaling(stores["train"].batch(items)[0])
        state = self.folder / "state"

        def say(line: str) -> None:
            self.say(f"{setting.name}: {line}")

        decoder.to(self.backbone.device)
        Training(decoder, stores["train"], stores["validation"], config, state, {}, say).run()
        return decoder


COLUMNS = {"miou": "mIoU", "mask_ap": "mask AP", "keypoint_ap": "OKS AP", "rel": "REL", "delta1": "δ1"}


def measure_ablation(ablation: Ablation, settings: Sequence[Setting]) -> Outcome:
    """One row a setting, in the order given; the table is printed as far as it goes after each."""
    results: list[Result] = []
    for setting in settings:
        results.append(ablation.run(setting))
        ablation.say(table(results[-1:], ablation.test).text())
    report = Report("ablation", "", figures=_figures(results), tables=[table(results, ablation.test)])
    train = ablation.train
    report.notes += [
        f"{train.steps} steps of {train.batch}, {train.variants} variants an image, seeds {[*ablation.seeds]}.",
        "Every setting differs from its `against` in one setting; unprompted unless a column says so.",
    ]
    return Outcome(report)


def table(results: Sequence[Result], test: int) -> Table:
    """Figures of every setting, means over its seeds."""
    rows = []
    for result in results:
        unprompted = [_mean(result.unprompted, name) for name in COLUMNS]
        rows.append([result.setting.name, result.setting.against, *unprompted, _mean(result.prompted, "miou")])
    columns = ["setting", "against", *COLUMNS.values(), "mIoU prompted"]
    return Table(f"ablation on {test} test renders", columns, rows)


def _mean(figures: Sequence[Figures], name: str) -> float:
    return statistics.fmean(getattr(each, name) for each in figures)


def _figures(results: Sequence[Result]) -> dict[str, float]:
    return {f"{result.setting.name}: {name}": _mean(result.unprompted, name) for result in results for name in COLUMNS}


def main(words: list[str] | None = None) -> int:
    """Print one row a setting; with --out write report.json and report.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, "num", "generator", "seed", "device", "out")
    parser.set_defaults(num=200)
    parser.add_argument("--steps", type=count, default=400, help="of each training (default 400)")
    parser.add_argument("--variants", type=count, default=8, help="of each labelled image (default 8)")
    parser.add_argument("--repeat", type=count, default=1, help="trainings a setting, seeds 0, 1 … (default 1)")
    parser.add_argument("--only", action="append", metavar="NAME", help="this setting (again for more)")
    features = "where features are kept between runs (default: a temporary folder)"
    parser.add_argument("--features", type=Path, metavar="DIR", help=features)
    args = parser.parse_args(words)
    wanted = chosen(args.only, SETTINGS)
    check_folder(args.out)
    train = TrainConfig(steps=args.steps, evaluate_every=min(100, args.steps), seed=args.seed, variants=args.variants)
    with tempfile.TemporaryDirectory(prefix="ablation-") as scratch:
        ablation = Ablation(
            backbone=open_backbone(args),
            folder=args.features or Path(scratch),
            train=train,
            test=args.num,
            seeds=range(args.seed, args.seed + args.repeat),
            say=lambda line: print(line, file=sys.stderr, flush=True),
        )
        outcome = measure_ablation(ablation, wanted)
    deliver(outcome, shlex.join(["python", "-m", "tests.benchmarks.ablation", *sys.argv[1:]]), args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
