"""Text in, labelled dataset out: importing this package registers its datasets with `datasets.load_dataset`.

```python
import dataset_dm as dm
from datasets import load_dataset

train = load_dataset("dataset_dm/voc_synth", num_images=100, split="train")
```

The import is light, whatever its order: neither torch nor datasets is loaded. `__all__` is the public interface; its
names are imported when they are first used. Everything else is internal.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataset_dm.annotators import load as load_annotator
    from dataset_dm.annotators.base import Annotator
    from dataset_dm.builders.generate import generate
    from dataset_dm.builders.relabel import relabel
    from dataset_dm.diffusion import Backbone
    from dataset_dm.evaluation.measurements import evaluate
    from dataset_dm.explore.preview import preview
    from dataset_dm.exports.export_set import export_set as export
    from dataset_dm.exports.import_set import import_set as import_labels
    from dataset_dm.hub.push import push
    from dataset_dm.training.config import TrainConfig
    from dataset_dm.training.train import train_decoder

# public name → where it is defined, as `module:name`; `docs/pages/api.md` documents each of them
_DEFINED_IN = {
    "Annotator": "annotators.base:Annotator",
    "Backbone": "diffusion:Backbone",
    "TrainConfig": "training.config:TrainConfig",
    "evaluate": "evaluation.measurements:evaluate",
    "export": "exports.export_set:export_set",
    "generate": "builders.generate:generate",
    "import_labels": "exports.import_set:import_set",
    "load_annotator": "annotators:load",
    "preview": "explore.preview:preview",
    "push": "hub.push:push",
    "relabel": "builders.relabel:relabel",
    "train_decoder": "training.train:train_decoder",
}

__all__ = [
    "Annotator",
    "Backbone",
    "TrainConfig",
    "__version__",
    "evaluate",
    "export",
    "generate",
    "import_labels",
    "load_annotator",
    "preview",
    "push",
    "relabel",
    "train_decoder",
]


def _find_sibling_folders() -> None:
    """In a checkout that is not installed, `builders/` and `cards/` lie beside this package, not in it."""
    root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if find_spec(f"{__name__}.builders") is None and os.path.isdir(os.path.join(root, "builders")):
        __path__.append(root)


_find_sibling_folders()

from dataset_dm import registry  # noqa: E402  (needs the path above)
from dataset_dm.registry import __version__  # noqa: E402

registry.install()


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _DEFINED_IN[name].partition(":")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return value


def __dir__() -> list[str]:
    """The public interface, and what is loaded."""
    return sorted({*globals(), *__all__})
