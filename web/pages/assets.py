"""Static files of the pages. Their URLs change with the content, so browsers cache them for ever."""

import gzip
import hashlib
import mimetypes
import posixpath
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import flask_bootstrap
import flask_swagger_ui
from flask import Flask, Response, abort, current_app, request, url_for
from werkzeug.security import safe_join

BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
SHARED = Path(__file__).parent / "static"
ICONS_FILE = "web/icons.svg"
# The icons that pages use, of Bootstrap's two thousand: one small file instead of a megabyte.
ICONS = (SHARED / "icons.txt").read_text(encoding="utf-8").split()

_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSED = {"text/css", "text/javascript", "application/javascript", "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    gzipped: bytes | None
    mimetype: str
    etag: str


class Assets:
    """The files below ``/assets/<version>/``: the first part of a name selects the folder."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = {"web": SHARED, "bootstrap": BOOTSTRAP, "swagger": SWAGGER_UI, **folders}
        ours = sorted(path for folder in (SHARED, *folders.values()) for path in folder.rglob("*") if path.is_file())
        digest = hashlib.sha256(flask_bootstrap.Bootstrap5.bootstrap_version.encode())
        for path in ours:
            digest.update(path.name.encode() + path.read_bytes())
        self.version = digest.hexdigest()[:12]
        self.find = cache(self._find)

    def _find(self, name: str) -> Asset:
        """Return the file ``name``, such as ``web/lockstep.css``. Raises FileNotFoundError."""
        body = _icons() if name == ICONS_FILE else self._path(name).read_bytes()
        mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
        gzipped = gzip.compress(body, mtime=0) if mimetype in _COMPRESSED else None
        return Asset(body, gzipped, mimetype, hashlib.sha256(body).hexdigest()[:16])

    def _path(self, name: str) -> Path:
        folder, _, rest = name.partition("/")
        # Only one name per file is accepted, as every name that is found is cached.
        known = folder in self._folders and posixpath.normpath(name) == name
        path = safe_join(str(self._folders[folder]), rest) if known else None
        if path is None or not Path(path).is_file():
            raise FileNotFoundError(name)
        return Path(path)


def init_assets(app: Flask, folders: dict[str, Path]) -> None:
    """Serve the files below ``/assets/``. ``folders`` are those of the service, by the first part of a name."""
    app.extensions["assets"] = Assets(folders)
    app.add_url_rule("/assets/<version>/<path:name>", "asset", _serve)


def asset(name: str) -> str:
    """Return the URL of a file, such as ``web/lockstep.css``. Raises FileNotFoundError where there is none."""
    assets: Assets = current_app.extensions["assets"]
    assets.find(name)
    return url_for("asset", version=assets.version, name=name)


def _serve(version: str, name: str) -> Response:
    """Serve a file. A page of another version gets the current file, uncached."""
    assets: Assets = current_app.extensions["assets"]
    try:
        found = assets.find(name)
    except FileNotFoundError:
        abort(404)
    zipped = found.gzipped is not None and request.accept_encodings["gzip"] > 0
    response = Response(found.gzipped if zipped else found.body, mimetype=found.mimetype)
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = _FOREVER if version == assets.version else "no-cache"
    response.vary.add("Accept-Encoding")
    response.set_etag(found.etag + ("-gzip" if zipped else ""))
    response.make_conditional(request)
    return response


@cache
def _icons() -> bytes:
    sprite = (BOOTSTRAP / "icons" / "bootstrap-icons.svg").read_text(encoding="utf-8")
    found = dict(re.findall(r'<symbol [^>]*id="([^"]+)">(.*?)</symbol>', sprite))
    symbols = "".join(f'<symbol viewBox="0 0 16 16" id="{name}">{found[name]}</symbol>' for name in ICONS)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>'.encode()
