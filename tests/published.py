"""What the processes of a run publish in the store, workers included: an audit hook in every Python that starts.

Whatever is made is published once: a shard, or before that a batch of one as a piece (see `engine.pieces`). So a name
that appears twice was made twice.
"""

import os
from collections import Counter
from pathlib import Path

_HOOK = """
import os, sys
def publish(event, args):
    if event == "os.rename" and str(args[1]).endswith((".parquet", ".arrow")):
        os.write(log, (str(args[1]) + "\\n").encode())
log = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
sys.addaudithook(publish)
"""


def watched(folder: Path) -> dict[str, str]:
    """The environment of a process that, with all it starts, writes down what it publishes; see `published`."""
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(_HOOK.format(log=str(folder / "log.txt")))
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def published(folder: Path) -> Counter[str]:
    """File → how often it was published; names relative to the store, such as "images/…/train/00000.parquet"."""
    log = folder / "log.txt"
    names = log.read_text().splitlines() if log.exists() else []
    return Counter(name[name.index("/images/") + 1 :] for name in names if "/images/" in name) + Counter(
        name[name.index("/labels/") + 1 :] for name in names if "/labels/" in name
    )
