"""Architecture and record of a P-Decoder: the content of its config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.hypercolumns import FeatureSpec
from dataset_dm.labels.tasks import INSTANCE, POSE, task

FORMAT = 4  # of config.json; formats that are still read: READ_FORMATS
READ_FORMATS = (3, 4)
PAIRS = ("depth_range", "object_calibration", "depth_calibration", "keypoint_calibration")


@dataclass(frozen=True, kw_only=True)
class PDecoderConfig:
    """Architecture and record of a P-Decoder. The net is convolutional, so one config fits every image size.

    Heads are built for `tasks` only; the fused maps and class evidence that they share are built once. Poses belong to
    instances, so "pose" requires "instance".

    Raises:
        ConfigError: a size below 1, widths that the GroupNorm groups do not divide, an unknown task.
    """

    spec: FeatureSpec  # the maps it reads; features of another spec are refused
    classes: tuple[str, ...]  # class words it was trained on, without background; others may be asked for
    tasks: tuple[str, ...] = ("semantic",)  # heads to build
    width: int = 72  # channels of the fused maps at strides of 8 and more; halved at each finer stride…
    finest_width: int = 16  # …down to this
    evidence_width: int = 32  # channels of one class's evidence
    text_heads: int = 4  # dot products between a pixel and a class word at the evidence grid
    instance_width: int = 48  # hidden channels of the classifier of instances
    attention: bool = True  # read the class attention, if the spec records any
    dropout: float = 0.1  # of whole channels of the input maps, and inside blocks
    groups: int = 8  # of every GroupNorm
    text_dropout: float = 0.1  # share of classes whose words are hidden from the heads in a training step
    depth_range: tuple[float, float] = (0.1, 100.0)  # metres, of the training data
    temperature: float = 1.0  # divides the logits; fitted on held-out pixels
    void_below: float = 0.0  # pixels whose probability is lower become 255; chosen on held-out pixels
    # (slope, offset) on the log-odds of a score; fitted on held-out objects, pixels and keypoints
    object_calibration: tuple[float, float] = (1.0, 0.0)
    depth_calibration: tuple[float, float] = (1.0, 0.0)
    keypoint_calibration: tuple[float, float] = (1.0, 0.0)
    record: dict[str, Any] = field(default_factory=dict, compare=False)  # how it was trained, figures, command

    def __post_init__(self) -> None:
        for name in ("width", "finest_width", "evidence_width", "text_heads", "instance_width", "groups"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ConfigError(explain(f"PDecoderConfig: {name}", got=getattr(self, name), expected="at least 1"))
        for name in ("width", "finest_width", "evidence_width", "instance_width"):
            if getattr(self, name) % self.groups:
                expected = f"a multiple of groups={self.groups}"
                raise ConfigError(explain(f"PDecoderConfig: {name}", got=getattr(self, name), expected=expected))
        for name in ("dropout", "text_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(explain(f"PDecoderConfig: {name}", got=getattr(self, name), expected="0 ≤ share < 1"))
        nearest, farthest = self.depth_range
        if not 0 < nearest < farthest:
            expected = "(nearest, farthest) in metres, 0 < nearest < farthest"
            raise ConfigError(explain("PDecoderConfig: depth_range", got=self.depth_range, expected=expected))
        if not self.temperature > 0:
            raise ConfigError(explain("PDecoderConfig: temperature", got=self.temperature, expected="above 0"))
        for name in self.tasks:
            task(name)
        if not self.tasks:
            raise ConfigError(explain("PDecoderConfig: tasks", got=self.tasks, expected="at least one task"))
        if POSE.name in self.tasks and INSTANCE.name not in self.tasks:
            raise ConfigError("PDecoderConfig: task 'pose' needs 'instance' beside it: poses belong to people found")

    @property
    def strides(self) -> tuple[int, ...]:
        """Strides of the fused maps, coarsest first: every power of two from the coarsest level read down to 1."""
        coarsest = max(max(level.stride for level in self.spec.levels), 8)
        return tuple(2**power for power in reversed(range(coarsest.bit_length())))

    def width_at(self, stride: int) -> int:
        """Channels of the fused map at this stride; a multiple of ``groups``."""
        if stride >= 8:
            return self.width
        narrow = int(self.width * {4: 0.75, 2: 0.375, 1: 0.0}[stride]) // self.groups * self.groups
        return max(narrow, self.finest_width)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; :meth:`from_dict` reads it back."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {
            "format": FORMAT,
            **plain,
            "spec": self.spec.to_dict(),
            "classes": list(self.classes),
            "tasks": list(self.tasks),
            **{name: list(getattr(self, name)) for name in PAIRS},
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PDecoderConfig:
        """The inverse of :meth:`to_dict`; ConfigError for a newer format or an unknown key."""
        values = dict(plain)
        written = values.pop("format", FORMAT)
        if written not in READ_FORMATS:
            expected, remedy = f"format {FORMAT}", "train the decoder again or install a fitting dataset-dm"
            raise ConfigError(explain("decoder config.json", got=written, expected=expected, remedy=remedy))
        if written == 3:
            values = _from_format_3(values)
        known = {entry.name for entry in fields(cls)}
        for name in values:
            if name not in known:
                raise ConfigError(f"PDecoderConfig: unknown key {name!r}{did_you_mean(name, known)}")
        values["spec"] = FeatureSpec.from_dict(values["spec"])
        values["classes"] = tuple(values["classes"])
        values["tasks"] = tuple(values.get("tasks", ("semantic",)))
        for name in PAIRS:
            if name in values:
                values[name] = tuple(float(number) for number in values[name])
        return cls(**values)


def _from_format_3(values: dict[str, Any]) -> dict[str, Any]:
    """Format 3 could describe a query branch beside the class maps; no decoder with one is read any more."""
    if values.get("queries"):
        remedy = "train the decoder again"
        raise ConfigError(explain("decoder config.json: queries", got=values["queries"], expected="0", remedy=remedy))
    kept = {name: value for name, value in values.items() if name not in ("queries", "query_layers", "query_width")}
    return {**kept, "instance_width": values["query_width"]} if "query_width" in values else kept
