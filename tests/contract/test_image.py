"""The Dockerfile and the installed files, checked without Docker."""

import re
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.contract.compose_check import ROOT


def faults_of_image(dockerfile: str, ignored: str) -> list[str]:
    """Return what is wrong with a Dockerfile and a .dockerignore that lists the included files."""
    let_in = [line[1:] for line in ignored.splitlines() if line.startswith("!")]
    copied = _copied(dockerfile)
    faults = [f"{source} does not exist" for source in copied if not (ROOT / source).exists()]
    faults += [f"{source} is kept out by .dockerignore" for source in copied if source not in let_in]
    faults += [f"{source} is not copied" for source in _installed() if source not in copied]
    faults += [f"{name} is let in but not copied" for name in let_in if name not in copied]
    bases = [line.split()[1] for line in dockerfile.splitlines() if line.startswith("FROM ")]
    faults += [f"{base} is not pinned" for base in bases if not re.fullmatch(r"[a-z]+:\d+\.\d+-slim", base)]
    if "USER " not in dockerfile.rpartition("FROM ")[2]:
        faults.append("it runs as root")
    return faults


def _copied(dockerfile: str) -> list[str]:
    lines = [line for line in dockerfile.splitlines() if line.startswith("COPY ") and "--from=" not in line]
    return [source for line in lines for source in line.split()[1:-1]]


def _installed() -> list[str]:
    """Return the packages and files of an installation by setup.cfg."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    modules = setup["options"]["py_modules"].split()
    packages = setup["options.packages.find"]["include"].split()
    return [f"{module}.py" for module in modules] + [package.rstrip("*") for package in packages]


def test_image_is_built_from_what_exists() -> None:
    assert faults_of_image((ROOT / "Dockerfile").read_text(), (ROOT / ".dockerignore").read_text()) == []


@pytest.mark.parametrize(
    ("fault", "right", "wrong"),
    [
        ("admin_web does not exist", "COPY admin admin/", "COPY admin_web admin/"),
        ("admin is not copied", "COPY admin admin/", ""),
        ("README.md is let in but not copied", " README.md", ""),
        (".env is kept out", " gunicorn.conf.py ./", " gunicorn.conf.py .env ./"),
        ("is not pinned", "python:3.12-slim", "python:latest"),
        ("it runs as root", "USER lockstep", ""),
    ],
)
def test_mistake_in_the_dockerfile_is_found(fault: str, right: str, wrong: str) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert right in dockerfile
    faults = faults_of_image(dockerfile.replace(right, wrong), (ROOT / ".dockerignore").read_text())
    assert any(fault in found for found in faults), faults


def test_image_contains_every_file_of_the_packages(tmp_path: Path) -> None:
    """An editable installation would hide a missing migration."""
    for name in _copied((ROOT / "Dockerfile").read_text().rpartition("FROM ")[0]):
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / "src" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / "src" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "./src"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    [wheel] = tmp_path.glob("*.whl")
    packages = [path for path in (tmp_path / "src").iterdir() if path.name in _installed()]
    files = [file for path in packages for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    wanted = {file.relative_to(tmp_path / "src").as_posix() for file in files}
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()
