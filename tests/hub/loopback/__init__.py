"""A Hub of our own on the loopback interface: what `huggingface_hub` and `datasets` say on the wire, LFS included.

    with LoopbackHub() as hub:          # hub.endpoint is what HF_ENDPOINT shall be
        hub.fail("503", on="PUT /lfs")  # the next upload is answered 503, once

Uploads, commits, revisions, pull requests, ranges and redirects to another origin are real; only xet is not spoken.
"""

from tests.hub.loopback.faults import KINDS, Fault
from tests.hub.loopback.hub import TOKENS, LoopbackHub

__all__ = ["KINDS", "TOKENS", "Fault", "LoopbackHub"]
