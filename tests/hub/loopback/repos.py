"""What a Hub keeps: repositories, their commits and branches, pull requests, and large objects by sha256."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

LARGE = (".parquet", ".safetensors", ".png", ".jpg", ".bin", ".arrow")  # what .gitattributes sends to LFS
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


class Refused(Exception):
    """An answer that is no success: status, X-Error-Code and message."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message or code)
        self.status, self.code, self.message = status, code, message or code


@dataclass(frozen=True, slots=True)
class Blob:
    """One version of a file; `sha256` is set when it lies with the large objects."""

    data: bytes | None
    sha256: str | None
    size: int

    @property
    def oid(self) -> str:
        """Git's name for it: of the content, or of its LFS pointer."""
        content = self.data if self.sha256 is None else POINTER.format(self.sha256, self.size).encode()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    def entry(self, path: str) -> dict[str, Any]:
        """As tree and paths-info list it."""
        plain: dict[str, Any] = {"type": "file", "oid": self.oid, "size": self.size, "path": path}
        if self.sha256 is not None:
            plain["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 130}
        return plain


@dataclass(slots=True)
class PullRequest:
    """An open pull request; its files are the branch refs/pr/{number}."""

    number: int
    title: str
    author: str


@dataclass(slots=True)
class Repo:
    """One repository: snapshots by commit, branches by name."""

    kind: str
    id: str
    private: bool = False
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    pulls: list[PullRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        start = {".gitattributes": small(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")}
        self.branches["main"] = self._record(None, start, "initial commit")

    def commit_of(self, revision: str) -> str:
        """The commit behind a branch, a pull request or a commit id."""
        if revision in self.branches:
            return self.branches[revision]
        if revision in self.commits:
            return revision
        raise Refused(404, "RevisionNotFound")

    def files(self, revision: str) -> dict[str, Blob]:
        """Path → file at a revision."""
        return self.commits[self.commit_of(revision)]

    def commit(self, revision: str, lines: list[dict[str, Any]], objects: dict[str, bytes], pull: str | None) -> str:
        """Applies a commit whole or not at all; returns its id. `pull` is the author of a pull request to open."""
        head, *operations = lines
        parent = self.commit_of(revision)
        expected = head["value"].get("parentCommit")
        if expected is not None and expected != parent:
            raise Refused(412, message="A commit has happened since. Please refresh and try again.")
        files = dict(self.commits[parent])
        for operation in operations:
            apply(files, operation["key"], operation["value"], objects)
        title = head["value"]["summary"]
        if pull is not None:
            number = len(self.pulls) + 1
            self.pulls.append(PullRequest(number, title, pull))
            revision = f"refs/pr/{number}"
        elif revision not in self.branches:
            raise Refused(404, "RevisionNotFound")
        self.branches[revision] = self._record(parent, files, title)
        return self.branches[revision]

    def _record(self, parent: str | None, files: dict[str, Blob], title: str) -> str:
        listing = [(path, blob.oid) for path, blob in sorted(files.items())]
        name = hashlib.sha1(json.dumps([parent, listing, title, len(self.commits)]).encode()).hexdigest()
        self.commits[name], self.titles[name] = files, title
        return name


def apply(files: dict[str, Blob], key: str, value: dict[str, Any], objects: dict[str, bytes]) -> None:
    """One line of a commit."""
    if key == "file":
        files[value["path"]] = small(base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if value["oid"] not in objects:
            raise Refused(422, message=f"{value['path']}: the large object was never uploaded")
        files[value["path"]] = Blob(None, value["oid"], len(objects[value["oid"]]))
    elif key == "deletedFile":
        if files.pop(value["path"], None) is None:
            raise Refused(404, "EntryNotFound", "A file with this name doesn't exist")
    elif key == "deletedFolder":
        for path in [path for path in files if path.startswith(value["path"].rstrip("/") + "/")]:
            del files[path]
    else:
        raise Refused(400, message=f"unknown operation {key}")


def small(data: bytes) -> Blob:
    """A file that lies in git itself."""
    return Blob(data, None, len(data))


def upload_mode(path: str, size: int) -> str:
    """Which way a file goes."""
    return "lfs" if path.endswith(LARGE) or size > 10_000_000 else "regular"
