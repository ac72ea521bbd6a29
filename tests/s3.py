"""An S3 of this machine's own: moto's server in a process of its own, and the variables by which s3fs finds it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_SERVE = """
import sys, time
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
sys.stdin.read()
"""


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server that holds nothing yet; it ends with the block, or with this process."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, "-c", _SERVE], **pipes) as server:
        address = next(line.strip() for line in server.stdout if line.startswith("http"))
        yield address
        server.stdin.close()


def point_to(address: str, patch: pytest.MonkeyPatch) -> None:
    """This process and those it starts find the server, with keys that anybody may know."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()  # one that an earlier test left looks for a server that is gone
    patch.setenv("AWS_ENDPOINT_URL", address)
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_CONFIG_FILE", "/dev/null")
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


def new_bucket(name: str) -> str:
    """Makes an empty bucket; returns its URL."""
    import s3fs

    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(name)
    return f"s3://{name}"
