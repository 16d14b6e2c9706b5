"""Conditional requests on a product (RFC 9110, section 13): its ETag is its version, such as "3".

Every write names the version that it is based on. Only ``*`` matches any version; a missing or unreadable version
matches none (decision 33).
"""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import request
from werkzeug.datastructures import ETags

from admin.catalogue.service import StaleVersionError
from web.http.problems import ProblemError

_VERSION = re.compile(r"[1-9][0-9]{0,17}")


class VersionRequiredError(ProblemError):
    """A write that does not name the version that it is based on."""

    status = HTTPStatus.PRECONDITION_REQUIRED


@dataclass(frozen=True, slots=True)
class _Conditions(Container[int]):
    """The versions that meet a request's conditions."""

    match: ETags
    none_match: ETags = field(default_factory=ETags)

    def __contains__(self, version: object) -> bool:
        return self.match.contains(str(version)) and not self.none_match.contains_weak(str(version))


def etag(version: int) -> str:
    """Return the ETag of a product at ``version``."""
    return f'"{version}"'


def expected_versions() -> Container[int]:
    """Return the versions that the request may change.

    Raises VersionRequiredError without If-Match, StaleVersionError when it can match no version.
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise VersionRequiredError('Nothing was changed. Send the ETag of the product, for example If-Match: "3".')
    match = request.if_match
    if not match.star_tag and not any(map(_VERSION.fullmatch, match.as_set())):
        raise StaleVersionError(_never_matches(match))
    return _Conditions(match, request.if_none_match)


def not_modified(version: int) -> bool:
    """Return whether the caller has ``version`` already, by its If-None-Match.

    Raises StaleVersionError when If-Match names other versions.
    """
    if "If-Match" in request.headers and version not in _Conditions(request.if_match):
        raise StaleVersionError(f"The product is at version {version}. If-Match names other versions.")
    return request.if_none_match.contains_weak(str(version))


def version_of_form() -> int:
    """Return the version at which a page's form was opened. Raises VersionRequiredError."""
    text = request.values.get("version", "")
    if not _VERSION.fullmatch(text):
        raise VersionRequiredError(
            "Nothing was changed: the form does not name the product's version. Open the product again and "
            "repeat your change."
        )
    return int(text)


def _never_matches(match: ETags) -> str:
    if match.as_set(include_weak=True) - match.as_set():
        return (
            "Nothing was changed: If-Match has only weak ETags, which match no version (RFC 9110, 13.1.1). A proxy "
            'that compresses makes ETags weak. Send the ETag without its W/, for example "3", or turn off compression '
            "for the API."
        )
    return 'Nothing was changed: If-Match needs one or more ETags, for example "3", or * alone.'
