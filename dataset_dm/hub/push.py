"""`push(store, repo)`: a generated set, a decoder or an adapter, to the Hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import ConfigError, explain
from dataset_dm.hub.dataset_upload import SetCargo
from dataset_dm.hub.errors import HubError, Patience, status_of
from dataset_dm.hub.model_upload import ModelCargo, is_model, no_such_store
from dataset_dm.hub.transfer import Pushed, Route, transfer

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
    patience: Patience | None = None,
) -> Pushed:
    """Pushes what `dataset-dm generate … --out DIR` or `dataset-dm train … --out DIR` wrote.

    Large files go first, then one commit makes card and data visible together: nobody ever loads half of it. A second
    push sends what is new. What people wrote on the card is kept.

    Args:
        store: the folder; of a set also several, one a config.
        repo: "owner/name"; a bare name is yours.
        private: make a new repository private.
        revision: a branch, made when it is missing; default main.
        create_pr: open a pull request instead of committing.
        license: an SPDX id for the card ("cc-by-4.0").
        renew_card: draw again the parts of the card that were edited by hand.
        replace: replace a config that has other columns.
        dry_run: only say what would go.
        token: default: that of HF_TOKEN or `hf auth login`.
        patience: how often to try.

    Raises:
        HubError: no token, a wrong one, somebody else's repository, an invalid name, a Hub out of reach.
        DataError: a folder that is not such a folder or is damaged, or a repository with other columns.

    Example:
        >>> push("voc16", "me/voc_synth").url                                         # doctest: +SKIP
        'https://huggingface.co/datasets/me/voc_synth'
    """
    from huggingface_hub import HfApi

    folders = [Path(one).expanduser() for one in ([store] if isinstance(store, (str, Path)) else store)]
    if not folders:
        raise ConfigError("push: no STORE given; give at least one folder")
    patience = patience or Patience()
    _check_name(repo)
    with ExitStack() as stack:
        cargo = _cargo(folders, stack, license=license, renew_card=renew_card, replace=replace)
        api = HfApi(token=_token(token))
        route = Route(
            repo=_whole_name(api, repo, create_pr=create_pr, patience=patience),
            private=private,
            revision=revision,
            create_pr=create_pr,
            dry_run=dry_run,
            patience=patience,
        )
        return transfer(api, cargo, route)


def _cargo(folders: Sequence[Path], stack: ExitStack, *, renew_card: bool, **options: Any) -> SetCargo | ModelCargo:
    for folder in folders:
        if not folder.is_dir():
            raise no_such_store(folder)
    if is_model(folders[0]):
        if len(folders) > 1 or options["replace"]:
            raise ConfigError("push: a model is one folder, and takes no replace")
        return ModelCargo(folders[0], renew_card=renew_card, license=options["license"])
    return stack.enter_context(SetCargo(folders, renew_card=renew_card, **options))


def _token(given: str | None) -> str:
    from huggingface_hub import get_token

    found = given or get_token()
    if not found:
        raise HubError(_NO_TOKEN)
    if re.fullmatch(r"[\x21-\x7e]+", found) is None:  # such a header cannot be sent, and the client would print it
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


def _whole_name(api: HfApi, repo: str, *, create_pr: bool, patience: Patience) -> str:
    """`owner/name`, of an owner that the token may write for; a pull request may be for anybody."""
    try:
        me: Any = patience.call("push: asking the Hub who you are", api.whoami, api.token)
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
            explain(f"push: {repo} is somebody else's", expected=f"{' or '.join(owners)} as owner", remedy=remedy)
        )
    return repo
