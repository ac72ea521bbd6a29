"""One push: read the repository, compare, upload new content, and make it visible in a single commit.

Every attempt starts from the present state of the repository, so a broken connection, a lost response or a concurrent
commit is handled by a retry: uploaded content is found, committed files are no longer new.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dataset_dm.errors import explain
from dataset_dm.hub.errors import HubError, RetryPolicy, is_transient, to_user_error
from dataset_dm.hub.remote import Remote, git_name, read_remote, sha256

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

_ALWAYS_LARGE = 16 * 2**20  # bytes; the Hub takes no larger file into git itself


@dataclass(frozen=True)
class Item:
    """One file to upload: a path, or its bytes."""

    content: Path | bytes

    @functools.cached_property
    def size(self) -> int:
        """In bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Its ids on the Hub: the sha256 for large files, git's blob id for small ones."""
        if isinstance(self.content, Path) and self.size > _ALWAYS_LARGE:
            return (sha256(self.content),)
        content = self.content if isinstance(self.content, bytes) else self.content.read_bytes()
        return hashlib.sha256(content).hexdigest(), git_name(content)

    def addition(self, path: str) -> CommitOperationAdd:
        """As a commit takes it; hashed once, whatever the number of attempts."""
        from huggingface_hub import CommitOperationAdd

        source = self.content if isinstance(self.content, bytes) else str(self.content)
        operation = CommitOperationAdd(path_in_repo=path, path_or_fileobj=source)
        operation.upload_info.sha256 = bytes.fromhex(self.names[0])
        return operation


@dataclass(frozen=True)
class Content:
    """The wanted state of a repository: files in order, card first; paths to delete; notes for the user."""

    items: Mapping[str, Item]
    obsolete: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Upload(Protocol):
    """A dataset or a model to upload."""

    kind: str  # "dataset" or "model"
    title: str  # of the commit
    texts: tuple[str, ...]  # small files of the repository that `content` reads

    def content(self, remote: Remote) -> Content:
        """The wanted state of the repository, given its present one; UserError when they cannot be merged."""


@dataclass(frozen=True)
class Pushed:
    """What a push did, or would do (dry run).

    Args:
        repo, url: where.
        commit: the commit with the content; None in a dry run for a new repository.
        pull_request: its URL, with `create_pr`.
        sent: path → size in bytes of new and changed files.
        kept: unchanged paths.
        removed: deleted paths.
        notes: messages for the user, such as parts of the card that were kept.
        dry: a dry run, without any write.
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
class PushOptions:
    """The options of `push`.

    Args:
        private: make the repository private (None: the Hub's default, or unchanged).
        revision: a branch, created if it does not exist; None for main.
        create_pr: open a pull request instead of committing.
        license: an SPDX id for the card.
        renew_card: replace parts of the card that were edited by hand.
        replace: replace a config that has other columns.
        dry_run: write nothing.
    """

    private: bool | None = None
    revision: str | None = None
    create_pr: bool = False
    license: str | None = None
    renew_card: bool = False
    replace: bool = False
    dry_run: bool = False


def transfer(api: HfApi, upload: Upload, repo: str, options: PushOptions, policy: RetryPolicy) -> Pushed:
    """Upload the content to `repo` ("owner/name") in one commit.

    Raises:
        HubError: the Hub refuses, or all attempts failed; the repository is unchanged.
    """
    what = f"push to {repo}"
    for last in policy:
        try:
            return _attempt(api, upload, repo, options)
        except Exception as error:
            if last or not is_transient(error):
                raised = to_user_error(error, what, api.token)
                if raised is error:
                    raise
                raise raised from error
    raise AssertionError("no attempt was made")


def _attempt(api: HfApi, upload: Upload, repo: str, options: PushOptions) -> Pushed:
    remote = read_remote(api, upload.kind, repo, options.revision, upload.texts)
    if options.private and remote.private is False:
        remedy = "make it private on the Hub first, or leave --private out"
        raise HubError(explain(f"push to {repo}: it exists and is public", remedy=remedy))
    content = upload.content(remote)
    new = {path: item for path, item in content.items.items() if remote.files.get(path) not in item.names}
    removed = tuple(path for path in content.obsolete if path in remote.files)
    url = f"{api.endpoint}/{'datasets/' if upload.kind == 'dataset' else ''}{repo}"
    result: dict[str, Any] = {
        "sent": {path: item.size for path, item in new.items()},
        "kept": tuple(path for path in content.items if path not in new),
        "removed": removed,
        "notes": content.notes,
    }
    if options.dry_run:
        return Pushed(repo, url, remote.commit, dry=True, **result)
    parent = _prepare(api, upload.kind, remote, options)
    if not (new or removed):
        return Pushed(repo, url, parent, **result)
    title = f"{upload.title} {_digest(new, removed)}"
    if options.create_pr and (already_open := _open_pull_request(api, upload.kind, repo, title)):
        return Pushed(repo, url, parent, already_open, **result)
    where = {"repo_type": upload.kind, "revision": options.revision, "create_pr": options.create_pr or None}
    done = _commit(api, repo, new, removed, commit_message=title, parent_commit=parent, where=where)
    return Pushed(repo, url, done.oid, done.pr_url, **result)


def _prepare(api: HfApi, kind: str, remote: Remote, options: PushOptions) -> str:
    """Create the repository and the branch if they do not exist; returns the parent commit."""
    parent = remote.commit
    if parent is None:
        api.create_repo(remote.id, repo_type=kind, private=options.private, exist_ok=True)
        parent = str(api.repo_info(remote.id, repo_type=kind).sha)
    if options.revision is not None and (remote.no_branch or remote.commit is None):
        api.create_branch(remote.id, repo_type=kind, branch=options.revision, exist_ok=True)
    return parent


def _commit(
    api: HfApi,
    repo: str,
    new: Mapping[str, Item],
    removed: tuple[str, ...],
    *,
    commit_message: str,
    parent_commit: str,
    where: Mapping[str, Any],
) -> Any:
    """Upload large files, not yet visible; then one commit, refused if the repository changed since it was read."""
    from huggingface_hub import CommitOperationDelete

    additions = [item.addition(path) for path, item in new.items()]
    api.preupload_lfs_files(repo, additions, free_memory=False, **where)
    operations = [*additions, *(CommitOperationDelete(path_in_repo=path) for path in removed)]
    return api.create_commit(repo, operations, commit_message=commit_message, parent_commit=parent_commit, **where)


def _digest(new: Mapping[str, Item], removed: tuple[str, ...]) -> str:
    """8 hex digits over the changes of a commit; they identify a pull request whose response was lost."""
    changes = [*(f"+{path} {item.names[0]}" for path, item in new.items()), *(f"-{path}" for path in removed)]
    return hashlib.sha256("\n".join(changes).encode()).hexdigest()[:8]


def _open_pull_request(api: HfApi, kind: str, repo: str, title: str) -> str | None:
    for one in api.get_repo_discussions(repo, repo_type=kind):
        if one.is_pull_request and one.status in ("open", "draft") and one.title == title:
            return one.url
    return None
