"""The locked requirements fit setup.cfg, have hashes, and name no package index."""

import configparser
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.stack.product import ROOT

EXTRAS = {"runtime": (), "demo": ("embedded",), "dev": ("embedded", "dev")}


def wanted(lock: str) -> list[Requirement]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    texts = [setup["options"]["install_requires"]]
    texts += [setup["options.extras_require"][extra] for extra in EXTRAS[lock]]
    texts.append((ROOT / "requirements" / "build.in").read_text())
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def locked(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return dict(re.findall(r"^(\S+?)==(\S+)", text, re.MULTILINE))


def fits(requirement: Requirement, version: str | None) -> bool:
    return version is not None and requirement.specifier.contains(version, prereleases=True)


@pytest.mark.parametrize("lock", EXTRAS)
def test_lock_fits_setup_cfg(lock: str) -> None:
    versions = locked(lock)
    stale = [str(r) for r in wanted(lock) if not fits(r, versions.get(canonicalize_name(r.name)))]
    assert stale == [], "run scripts/lock"


@pytest.mark.parametrize("lock", EXTRAS)
def test_lock_is_hashed_and_names_no_index(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert len(re.findall(r"^\S+==.*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(
        re.findall("^\\S+==", text, re.M)
    )
    assert not re.search(r"://|--index|--find-links|--trusted", text)
