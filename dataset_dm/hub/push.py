"""`push(store, repo)`: upload a generated set, a decoder or an adapter to the Hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import ConfigError, explain
from dataset_dm.hub.dataset_upload import DatasetUpload
from dataset_dm.hub.errors import HubError, RetryPolicy, status_of
from dataset_dm.hub.model_upload import ModelUpload, is_model, not_a_store
from dataset_dm.hub.transfer import Pushed, PushOptions, transfer

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_NO_TOKEN = "push: no token for the Hub; log in with `hf auth login`, or set HF_TOKEN"


def push(
    store: str | Path | Sequence[str | Path],
    repo: str,
    *,
    private: bool | None = None,
    revision: str | None = None,
    create_pr: bool = False,
    license: str | None = None,
    renew_card: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    token: str | None = None,
) -> Pushed:
    """Upload a folder that `generate(…, out=DIR)` or `train_decoder(…)` wrote to the Hub.

    Large files are uploaded first, then one commit makes card and data visible together, so readers see the repository
    before or after it. Failed requests are retried, and another push uploads only what is new. Text that people wrote
    on the card is kept.

    Args:
        store: the folder; for a dataset also several, one for each config.
        repo: "owner/name"; a name without owner belongs to the token's user.
        private: make a new repository private.
        revision: the branch, created if it does not exist; default main.
        create_pr: open a pull request instead of committing.
        license: an SPDX id for the card ("cc-by-4.0").
        renew_card: replace parts of the card that were edited by hand.
        replace: replace a config that has other columns.
        dry_run: return what would be uploaded, and write nothing.
        token: default: the one of HF_TOKEN or `hf auth login`.

    Returns:
        What was uploaded, kept and removed, and where.

    Raises:
        HubError: no token or an invalid one, a repository of another owner, an invalid name, the Hub is not reachable.
        DataError: not such a folder, a damaged one, or a repository with other columns.

    Examples:
        >>> pushed = push("voc4", "me/voc_synth")
        >>> sorted(pushed.sent)[:4]
        ['README.md', 'drops.json', 'id2label.json', 'plan.json']
    """
    options = PushOptions(
        private=private,
        revision=revision,
        create_pr=create_pr,
        license=license,
        renew_card=renew_card,
        replace=replace,
        dry_run=dry_run,
    )
    return push_with(store, repo, options, token=token)


def push_with(
    store: str | Path | Sequence[str | Path],
    repo: str,
    options: PushOptions,
    *,
    token: str | None = None,
    retry_policy: RetryPolicy | None = None,
) -> Pushed:
    """`push` with its options in one object, and with a retry policy."""
    from huggingface_hub import HfApi

    folders = [Path(one).expanduser() for one in ([store] if isinstance(store, (str, Path)) else store)]
    if not folders:
        raise ConfigError("push: no STORE given; give at least one folder")
    policy = retry_policy or RetryPolicy()
    _check_name(repo)
    with ExitStack() as stack:
        upload = _upload(folders, stack, options)
        api = HfApi(token=_token(token))
        name = _full_name(api, repo, create_pr=options.create_pr, policy=policy)
        return transfer(api, upload, name, options, policy)


def _upload(folders: Sequence[Path], stack: ExitStack, options: PushOptions) -> DatasetUpload | ModelUpload:
    for folder in folders:
        if not folder.is_dir():
            raise not_a_store(folder)
    if is_model(folders[0]):
        if len(folders) > 1 or options.replace:
            raise ConfigError("push: a model is one folder, and takes no replace")
        return ModelUpload(folders[0], renew_card=options.renew_card, license=options.license)
    return stack.enter_context(
        DatasetUpload(folders, renew_card=options.renew_card, license=options.license, replace=options.replace)
    )


def _token(given: str | None) -> str:
    from huggingface_hub import get_token

    found = given or get_token()
    if not found:
        raise HubError(_NO_TOKEN)
    if re.fullmatch(r"[\x21-\x7e]+", found) is None:  # not a valid header value; the client would print it
        raise HubError("push: the token holds blanks or strange characters; copy it again")
    return found


def _check_name(repo: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        expected = "owner/name of letters, digits, -, _ and ., 96 at most"
        raise HubError(explain("push: REPO", got=repo, expected=expected)) from error


def _full_name(api: HfApi, repo: str, *, create_pr: bool, policy: RetryPolicy) -> str:
    """`owner/name` with an owner that the token may write to; a pull request may go to any owner."""
    try:
        me: Any = policy.call("push: asking the Hub who you are", api.whoami, api.token)
    except HubError as error:
        if error.__cause__ is not None and status_of(error.__cause__) == 401:
            raise HubError("push: the Hub does not know this token (401); log in again with `hf auth login`") from error
        raise
    if "/" not in repo:
        return f"{me['name']}/{repo}"
    owners = [me["name"], *(org["name"] for org in me.get("orgs", []))]
    if not create_pr and repo.split("/")[0] not in owners:
        remedy = "take one of yours, or --pr to propose it to the owner"
        raise HubError(
            explain(f"push: {repo} belongs to another owner", expected=f"{' or '.join(owners)} as owner", remedy=remedy)
        )
    return repo
