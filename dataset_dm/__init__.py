"""Text in, labelled dataset out: importing this package teaches `datasets` the names under `dataset_dm/`.

```python
import dataset_dm
from datasets import load_dataset
train = load_dataset("dataset_dm/voc_synth", num_images=100, split="train")
```

The import is light: neither torch nor datasets is loaded by it, and the order of the two imports does not matter.
"""

import os
from importlib import import_module
from importlib.util import find_spec

__version__ = "0.1.0"


def _reach_sibling_folders() -> None:
    """In a checkout that was not installed, `builders/` and `cards/` lie beside this package, not in it."""
    root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if find_spec(f"{__name__}.builders") is None and os.path.isdir(os.path.join(root, "builders")):
        __path__.append(root)


_reach_sibling_folders()

from dataset_dm import registry  # noqa: E402  (needs the path above)

registry.install()

__all__ = ["__version__", "push"]


def __getattr__(name: str) -> object:
    """`push` is imported when it is asked for: the import of this package stays light."""
    if name == "push":
        return import_module(f"{__name__}.hub").push
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
