"""`dataset-dm explore SOURCE`: page through a set's samples in the browser, or compare two sets of labels."""

from __future__ import annotations

import argparse
import sys

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HINT = ": closed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which set, optionally other labels of the same images, and the address of the page."""
    parser.add_argument("source", metavar="SOURCE", help="a generated folder, or a dataset's name")
    parser.add_argument(
        "--compare", metavar="OTHER", help="the same images with other labels: a folder or a dataset's name"
    )
    parser.add_argument("--config", help="config of a dataset's name (default: its own)")
    parser.add_argument("--split", help="split to show first (default: the first)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to serve at (default 127.0.0.1: this machine only)"
    )
    parser.add_argument("--port", type=int, help="port to serve at (default: 7860, or a free one if that is taken)")
    parser.add_argument("--browser", action="store_true", help="open the page in a browser")


def run(args: argparse.Namespace) -> int:
    """Serves until Ctrl-C; a wrong port is refused before anything is read."""
    from dataset_dm.checks import check_int

    if args.port is not None:
        check_int("--port", args.port, 1, 65535)
    from dataset_dm.explore.app import free_port, load_gradio, serve
    from dataset_dm.explore.sets import open_set
    from dataset_dm.explore.view import Explorer

    port = _default_port(args.host) if args.port is None else free_port(args.host, args.port)
    one = open_set(args.source, args.config)
    split = one.split(args.split)
    explorer = Explorer(one, None if args.compare is None else open_set(args.compare, args.config))
    load_gradio()
    if args.host not in LOOPBACK:
        print(f"warning: everybody who reaches {args.host} can see this set", file=sys.stderr)
    window = serve(explorer, split, args.host, port, browser=args.browser)
    print(f"{args.source}: http://{args.host}:{port} (Ctrl-C ends)", flush=True)
    window.block_thread()
    return 0


def _default_port(host: str) -> int:
    from dataset_dm.errors import ConfigError
    from dataset_dm.explore.app import free_port

    try:
        return free_port(host, 7860)
    except ConfigError:
        return free_port(host, None)
