"""Which request does what: repositories, uploads, commits, listings and downloads."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from tests.hub.loopback.repos import Blob, PullRequest, Refused, Repo, upload_mode

if TYPE_CHECKING:
    from tests.hub.loopback.hub import LoopbackHub
    from tests.hub.loopback.server import Answer, Request

KINDS = ("models", "datasets", "spaces")
WHEN = "2026-01-01T00:00:00.000Z"


def answer(hub: LoopbackHub, request: Request) -> Answer:
    """The answer to a request; Refused for anything that is no success."""
    segments = request.segments
    match segments:
        case ["api", "whoami-v2"]:
            return _whoami(request)
        case ["api", "validate-yaml"]:
            return _json({"errors": [], "warnings": []})
        case ["api", "repos", "create" | "delete" as verb]:
            return _create_or_delete(hub, request, verb)
        case ["api", kind, owner, name, *rest] if kind in KINDS:
            return _api(hub, request, _repo(hub, request, kind, f"{owner}/{name}"), rest)
        case ["lfs", oid]:
            return _upload(hub, oid, request.body)
        case ["lfs-verify"]:
            known = request.json()["oid"] in hub.objects
            return _json({}, 200 if known else 404)
        case ["cdn", oid]:
            return _ranged(hub.objects[oid], request)
        case [*_, name, "info", "lfs", "objects", "batch"] if name.endswith(".git"):
            return _batch(hub, request)
        case ["datasets" | "spaces" as kind, owner, name, "resolve", revision, *path]:
            return _resolve(hub, request, _repo(hub, request, kind, f"{owner}/{name}"), revision, "/".join(path))
        case [owner, name, "resolve", revision, *path]:
            return _resolve(hub, request, _repo(hub, request, "models", f"{owner}/{name}"), revision, "/".join(path))
    raise Refused(404, message=f"no such address: /{'/'.join(segments)}")


def _json(plain: Any, status: int = 200) -> Answer:
    from tests.hub.loopback.server import Answer

    return Answer.of(plain, status)


def _whoami(request: Request) -> Answer:
    from tests.hub.loopback.hub import ORGANISATIONS

    if request.user is None:
        raise Refused(401, message="Invalid username or password.")
    orgs = [{"type": "org", "name": name} for name in ORGANISATIONS[request.user]]
    return _json({"type": "user", "name": request.user, "orgs": orgs, "auth": {"accessToken": {"role": "write"}}})


def _may_write(user: str | None, repo_id: str) -> bool:
    from tests.hub.loopback.hub import ORGANISATIONS

    owner = repo_id.split("/")[0]
    return user is not None and owner in (user, *ORGANISATIONS[user])


def _create_or_delete(hub: LoopbackHub, request: Request, verb: str) -> Answer:
    if request.user is None:
        raise Refused(401, message="Invalid username or password.")
    asked = request.json()
    repo_id = f"{asked.get('organization') or request.user}/{asked['name']}"
    kind = f"{asked.get('type') or 'model'}s"
    if not _may_write(request.user, repo_id):
        raise Refused(403, message=f"You don't have the rights to create a {kind[:-1]} under the namespace")
    if verb == "delete":
        _repo(hub, request, kind, repo_id)
        del hub.repos[kind, repo_id]
        return _json({})
    url = {"url": f"{hub.endpoint}/{'' if kind == 'models' else kind + '/'}{repo_id}", "name": repo_id}
    if (kind, repo_id) in hub.repos:
        return _json({**url, "error": "You already created this repo"}, 409)
    private = asked.get("visibility") == "private" or bool(asked.get("private"))
    hub.repos[kind, repo_id] = Repo(kind, repo_id, private)
    return _json(url)


def _repo(hub: LoopbackHub, request: Request, kind: str, repo_id: str) -> Repo:
    repo = hub.repos.get((kind, repo_id))
    hidden = repo is not None and repo.private and not _may_write(request.user, repo_id)
    if repo is None or hidden:
        raise Refused(404 if request.user else 401, "RepoNotFound", "Repository not found")
    return repo


def _api(hub: LoopbackHub, request: Request, repo: Repo, rest: list[str]) -> Answer:
    match rest:
        case []:
            return _json(_info(repo, "main"))
        case ["revision", revision]:
            return _json(_info(repo, revision))
        case ["refs"]:
            return _json(_refs(repo))
        case ["branch", *name]:
            return _branch(request, repo, "/".join(name))
        case ["preupload", revision]:
            return _preupload(request, repo, revision)
        case ["commit", revision]:
            return _commit(hub, request, repo, revision)
        case ["tree", revision, *path]:
            return _tree(request, repo, revision, "/".join(path))
        case ["paths-info", revision]:
            files, asked = repo.files(revision), _paths(request)
            return _json([files[path].entry(path) for path in asked if path in files])
        case ["discussions"]:
            return _discussions(repo)
    raise Refused(404, message="no such call: " + "/".join(rest))


def _paths(request: Request) -> list[str]:
    if "json" in request.headers.get("content-type", ""):
        return request.json()["paths"]
    from urllib.parse import parse_qs

    return parse_qs(request.body.decode())["paths"]


def _info(repo: Repo, revision: str) -> dict[str, Any]:
    files = repo.files(revision)
    return {
        "id": repo.id,
        "_id": "1",
        "author": repo.id.split("/")[0],
        "sha": repo.commit_of(revision),
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "lastModified": WHEN,
        "createdAt": WHEN,
        "siblings": [{"rfilename": path} for path in sorted(files)],
    }


def _refs(repo: Repo) -> dict[str, Any]:
    named = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": c} for n, c in repo.branches.items()]
    return {"branches": named, "converts": [], "tags": [], "pullRequests": []}


def _branch(request: Request, repo: Repo, name: str) -> Answer:
    if not _may_write(request.user, repo.id):
        raise Refused(403, message="no write access")
    if request.method == "DELETE":
        repo.branches.pop(name)
        return _json({})
    if name in repo.branches:
        raise Refused(409, message="Reference already exists")
    repo.branches[name] = repo.commit_of(request.json().get("startingPoint", "main"))
    return _json({}, 201)


def _preupload(request: Request, repo: Repo, revision: str) -> Answer:
    if not _may_write(request.user, repo.id) and not request.query.get("create_pr"):
        raise Refused(403, message="Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request")
    files, answers = repo.files(revision), []
    for asked in request.json()["files"]:
        path = asked["path"]
        plain = {"path": path, "uploadMode": upload_mode(path, asked["size"]), "shouldIgnore": False}
        if path in files:
            plain["oid"] = files[path].sha256 or files[path].oid
        answers.append(plain)
    return _json({"files": answers})


def _batch(hub: LoopbackHub, request: Request) -> Answer:
    objects = []
    for asked in request.json()["objects"]:
        plain = {"oid": asked["oid"], "size": asked["size"]}
        if asked["oid"] not in hub.objects:
            plain["actions"] = {
                "upload": {"href": f"{hub.cdn}/lfs/{asked['oid']}"},
                "verify": {"href": f"{hub.endpoint}/lfs-verify"},
            }
        objects.append(plain)
    return _json({"transfer": "basic", "objects": objects})


def _upload(hub: LoopbackHub, oid: str, body: bytes) -> Answer:
    if hashlib.sha256(body).hexdigest() != oid:
        raise Refused(400, message="the content has another sha256")
    hub.objects[oid] = body
    return _json({})


def _commit(hub: LoopbackHub, request: Request, repo: Repo, revision: str) -> Answer:
    opens = bool(request.query.get("create_pr"))
    if request.user is None or not (opens or _may_write(request.user, repo.id)):
        raise Refused(403, message="Forbidden: you are not authorised to push to this repository")
    lines = [json.loads(line) for line in request.body.splitlines() if line.strip()]
    oid = repo.commit(revision, lines, hub.objects, request.user if opens else None)
    url = f"{hub.endpoint}/{'' if repo.kind == 'models' else repo.kind + '/'}{repo.id}"
    plain = {"success": True, "commitOid": oid, "commitUrl": f"{url}/commit/{oid}", "hookOutput": ""}
    if opens:
        plain["pullRequestUrl"] = f"{url}/discussions/{repo.pulls[-1].number}"
    return _json(plain)


def _tree(request: Request, repo: Repo, revision: str, folder: str) -> Answer:
    recursive = request.query.get("recursive", "").lower() in ("1", "true")
    inside = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, blob in sorted(repo.files(revision).items()):
        if not path.startswith(inside):
            continue
        parts = path[len(inside) :].split("/")
        for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
            name = inside + "/".join(parts[:depth])
            oid = hashlib.sha1(name.encode()).hexdigest()
            entries.setdefault(name, {"type": "directory", "oid": oid, "size": 0, "path": name})
        if recursive or len(parts) == 1:
            entries[path] = blob.entry(path)
    if folder and not entries:
        raise Refused(404, "EntryNotFound")
    return _json(list(entries.values()))


def _discussions(repo: Repo) -> Answer:
    def plain(pull: PullRequest) -> dict[str, Any]:
        return {
            "num": pull.number,
            "title": pull.title,
            "author": {"name": pull.author},
            "createdAt": WHEN,
            "status": "open",
            "repo": {"name": repo.id, "type": repo.kind[:-1]},
            "isPullRequest": True,
        }

    return _json({"discussions": [plain(pull) for pull in repo.pulls], "count": len(repo.pulls), "start": 0})


def _resolve(hub: LoopbackHub, request: Request, repo: Repo, revision: str, path: str) -> Answer:
    blob: Blob | None = repo.files(revision).get(path)
    commit = {"X-Repo-Commit": repo.commit_of(revision)}
    if blob is None:
        refused = _json({"error": "Entry not found"}, 404)
        refused.headers |= {**commit, "X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        return refused
    if blob.sha256 is None:
        served = _ranged(blob.data, request)
        served.headers |= {**commit, "ETag": f'"{blob.oid}"'}
        return served
    moved = _json({}, 302)
    linked = {"X-Linked-Size": str(blob.size), "X-Linked-ETag": f'"{blob.sha256}"'}
    moved.headers |= {**commit, **linked, "ETag": f'"{blob.sha256}"', "Location": f"{hub.cdn}/cdn/{blob.sha256}"}
    return moved


def _ranged(data: bytes, request: Request) -> Answer:
    from tests.hub.loopback.server import Answer

    headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if asked is None:
        return Answer(200, data, {**headers, "ETag": f'"{hashlib.sha256(data).hexdigest()}"'})
    first, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
    if first > last:
        return Answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
    return Answer(206, data[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(data)}"})
