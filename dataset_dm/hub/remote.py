"""The present state of a repository on the Hub: commit, files, small text files."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub import HfApi


@dataclass(frozen=True)
class Remote:
    """State of a repository.

    Args:
        id: "owner/name".
        commit: None if the repository does not exist.
        files: path → sha256 of a large file, git blob id of a small one.
        texts: path → content of the small files that a merge reads.
        private: None if the repository does not exist.
        no_branch: the requested revision does not exist; the other fields describe main, from which it will be made.
    """

    id: str
    commit: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, bytes] = field(default_factory=dict)
    private: bool | None = None
    no_branch: bool = False


def read_remote(api: HfApi, kind: str, repo: str, revision: str | None, texts: tuple[str, ...]) -> Remote:
    """The state of `revision` (default main); an empty one if the repository does not exist.

    Args:
        kind: "dataset" or "model".
        texts: paths of small files to download, if they exist.
    """
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    no_branch = False
    try:
        info = api.repo_info(repo, repo_type=kind, revision=revision)
    except RevisionNotFoundError:
        info, no_branch = api.repo_info(repo, repo_type=kind), True
    except RepositoryNotFoundError as error:
        if getattr(error.response, "status_code", 404) == 401 and api.token:
            raise
        return Remote(repo)
    listed = api.list_repo_tree(repo, repo_type=kind, revision=info.sha, recursive=True)
    files = {
        entry.path: entry.lfs.sha256 if entry.lfs is not None else entry.blob_id
        for entry in listed
        if hasattr(entry, "blob_id")
    }
    with tempfile.TemporaryDirectory() as cache:
        fetched = {
            path: Path(api.hf_hub_download(repo, path, repo_type=kind, revision=info.sha, cache_dir=cache)).read_bytes()
            for path in texts
            if path in files
        }
    return Remote(repo, info.sha, files, fetched, bool(info.private), no_branch)


def git_name(content: bytes) -> str:
    """The git blob id of a small file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def sha256(file: Path) -> str:
    """The sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with open(file, "rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
