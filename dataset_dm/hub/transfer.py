"""One push: read what is there, work out what is new, upload it, and make it visible in a single commit.

Every try starts from what is there now, so a cut, a lost answer or somebody else's commit in between is met by trying
again: what was uploaded is found, what was committed is no longer new. Readers see the repository before or after.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dataset_dm.errors import explain
from dataset_dm.hub.errors import HubError, Patience, passes, translate
from dataset_dm.hub.remote import Remote, git_name, read_remote, sha256

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

_ALWAYS_LARGE = 16 * 2**20  # bytes; the Hub takes no larger file into git itself


@dataclass(frozen=True)
class Item:
    """One file to go: a file on disk, or its bytes."""

    content: Path | bytes

    @functools.cached_property
    def size(self) -> int:
        """In bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """What the Hub may call it: its sha256 with the large files, git's name with the small ones."""
        if isinstance(self.content, Path) and self.size > _ALWAYS_LARGE:
            return (sha256(self.content),)
        content = self.content if isinstance(self.content, bytes) else self.content.read_bytes()
        return hashlib.sha256(content).hexdigest(), git_name(content)

    def addition(self, path: str) -> CommitOperationAdd:
        """As a commit takes it; hashed once, however often it is tried."""
        from huggingface_hub import CommitOperationAdd

        source = self.content if isinstance(self.content, bytes) else str(self.content)
        operation = CommitOperationAdd(path_in_repo=path, path_or_fileobj=source)
        operation.upload_info.sha256 = bytes.fromhex(self.names[0])
        return operation


@dataclass(frozen=True)
class Load:
    """What a repository shall hold: files in the order they are said, card first; paths to take away; notes."""

    items: Mapping[str, Item]
    obsolete: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Cargo(Protocol):
    """Something to push."""

    kind: str  # "dataset" or "model"
    title: str  # of the commit
    texts: tuple[str, ...]  # small files of the repository that `load` reads

    def load(self, remote: Remote) -> Load:
        """What the repository shall hold, given what it holds; UserError when that cannot be."""


@dataclass(frozen=True)
class Pushed:
    """What a push did, or (dry run) would do.

    Args:
        repo, url: where.
        commit: the commit that holds it; None in a dry run of something new.
        pull_request: its address, if one was asked for.
        sent: path → bytes of new and changed files.
        kept: paths that were there already.
        removed: paths taken away.
        notes: what the user should know (an edited card that was kept …).
        dry: nothing was written.
    """

    repo: str
    url: str
    commit: str | None
    pull_request: str | None = None
    sent: Mapping[str, int] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    dry: bool = False


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where to and how.

    Args:
        repo: "owner/name".
        private: make the repository private (None: as the Hub does, or as it is).
        revision: a branch, made when it is missing; None for main.
        create_pr: open a pull request instead of committing.
        dry_run: only say what would go.
        patience: how often and how patiently to try.
    """

    repo: str
    private: bool | None = None
    revision: str | None = None
    create_pr: bool = False
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)


def transfer(api: HfApi, cargo: Cargo, route: Route) -> Pushed:
    """Sends the cargo; returns when all of it is there, in one commit.

    Raises:
        HubError: the Hub refuses, or could not be reached often enough; the repository is as it was.
    """
    what = f"push to {route.repo}"
    for last in route.patience:
        try:
            return _attempt(api, cargo, route)
        except Exception as error:
            if last or not passes(error):
                told = translate(error, what, api.token)
                if told is error:
                    raise
                raise told from error
    raise AssertionError("no try was made")


def _attempt(api: HfApi, cargo: Cargo, route: Route) -> Pushed:
    remote = read_remote(api, cargo.kind, route.repo, route.revision, cargo.texts)
    if route.private and remote.private is False:
        remedy = "make it private on the Hub first, or leave --private out"
        raise HubError(explain(f"push to {route.repo}: it exists and is public", remedy=remedy))
    load = cargo.load(remote)
    new = {path: item for path, item in load.items.items() if remote.files.get(path) not in item.names}
    gone = tuple(path for path in load.obsolete if path in remote.files)
    url = f"{api.endpoint}/{'datasets/' if cargo.kind == 'dataset' else ''}{route.repo}"
    result: dict[str, Any] = {
        "sent": {path: item.size for path, item in new.items()},
        "kept": tuple(path for path in load.items if path not in new),
        "removed": gone,
        "notes": load.notes,
    }
    if route.dry_run:
        return Pushed(route.repo, url, remote.commit, dry=True, **result)
    parent = _prepare(api, cargo.kind, remote, route)
    if not (new or gone):
        return Pushed(route.repo, url, parent, **result)
    title = f"{cargo.title} {_digest(new, gone)}"
    if route.create_pr and (open_already := _open_pull_request(api, cargo.kind, route.repo, title)):
        return Pushed(route.repo, url, parent, open_already, **result)
    done = _commit(api, cargo.kind, parent, route, new, gone, title)
    return Pushed(route.repo, url, done.oid, done.pr_url, **result)


def _prepare(api: HfApi, kind: str, remote: Remote, route: Route) -> str:
    """Makes the repository and the branch, if they are missing; returns the commit to build on."""
    parent = remote.commit
    if parent is None:
        api.create_repo(route.repo, repo_type=kind, private=route.private, exist_ok=True)
        parent = str(api.repo_info(route.repo, repo_type=kind).sha)
    if route.revision is not None and (remote.no_branch or remote.commit is None):
        api.create_branch(route.repo, repo_type=kind, branch=route.revision, exist_ok=True)
    return parent


def _commit(
    api: HfApi, kind: str, parent: str, route: Route, new: Mapping[str, Item], gone: tuple[str, ...], title: str
) -> Any:
    """Large files first, seen by nobody; then one commit, only if the repository is still as it was read."""
    from huggingface_hub import CommitOperationDelete

    there = {"repo_type": kind, "revision": route.revision, "create_pr": route.create_pr or None}
    additions = [item.addition(path) for path, item in new.items()]
    api.preupload_lfs_files(route.repo, additions, free_memory=False, **there)
    removals = [CommitOperationDelete(path_in_repo=path) for path in gone]
    return api.create_commit(route.repo, [*additions, *removals], commit_message=title, parent_commit=parent, **there)


def _digest(new: Mapping[str, Item], gone: tuple[str, ...]) -> str:
    """8 hex digits over what a commit changes: by them a pull request whose answer was lost is found again."""
    changes = [*(f"+{path} {item.names[0]}" for path, item in new.items()), *(f"-{path}" for path in gone)]
    return hashlib.sha256("\n".join(changes).encode()).hexdigest()[:8]


def _open_pull_request(api: HfApi, kind: str, repo: str, title: str) -> str | None:
    for one in api.get_repo_discussions(repo, repo_type=kind):
        if one.is_pull_request and one.status in ("open", "draft") and one.title == title:
            return one.url
    return None
