"""Find secrets in the logs of the processes under test."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from tools.stack.product import Product

# What proves who one is, whoever made it: a bearer token, a password's hash, and the passwords of the tests' accounts.
PATTERNS = (
    re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    re.compile(r"\$argon2id?\$"),
    re.compile(r"lsk_[0-9a-f]{8}_[\w-]{20,}"),
    re.compile(r"a password of (some length|staff)|at least ten characters"),
    re.compile(r"Authorization: (Bearer|Basic) \S+", re.IGNORECASE),
)


def secrets_of(products: Iterable[Product]) -> set[str]:
    """Return every secret value in the environments of the processes."""
    found: set[str] = set()
    for product in products:
        env = product.env
        found |= {env["ADMIN_SECRET_KEY"], env["CLIENT_SECRET_KEY"], env["FLOWER_BASIC_AUTH"].partition(":")[2]}
        found |= {entry.partition(":")[2] for entry in env["SERVICE_KEYS"].split(",")}
        found |= {env.get("METRICS_TOKEN", "")}
        urls = ("ADMIN_DATABASE_URL", "CLIENT_MONGODB_URL", "CELERY_BROKER_URL")
        found |= {urlsplit(env[name]).password or "" for name in urls}
    return found - {""}


def leaks(logs: Iterable[Path], secrets: Collection[str]) -> list[str]:
    """Return the places of secrets in logs, without the secrets."""
    found = []
    for path in logs:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if any(secret in line for secret in secrets) or any(pattern.search(line) for pattern in PATTERNS):
                    found.append(f"{path}:{number}")
    return found
