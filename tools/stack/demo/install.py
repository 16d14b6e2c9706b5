"""The demo's own virtual environment, installed from the hash-locked requirements. Python's own library only."""

import hashlib
import importlib.util
import re
import subprocess
import sys
import time

from tools.stack.demo.options import HOME
from tools.stack.demo.screen import Screen
from tools.stack.demo.state import require_space, try_lock
from tools.stack.errors import StackError

ROOT = HOME.parent
VENV = HOME / "venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements" / "demo.txt"
LOG = HOME / "install.log"
_DONE = VENV / "installed"
_SPACE = 800  # MB: half for the installation, half for its downloads
_NETWORK = re.compile(
    r"NewConnectionError|Failed to establish|Name or service not known|name resolution|Max retries exceeded|timed out"
    r"|Network is unreachable|ProxyError|SSLError|Connection refused|Connection reset|from versions: none",
)


class InstallError(StackError):
    """The packages could not be installed; the message says why, and what to do."""


def install(screen: Screen) -> None:
    """Install the environment, unless it is up to date. Raises InstallError, StackError."""
    HOME.mkdir(exist_ok=True)
    with (HOME / "install.lock").open("w") as lock:
        if not try_lock(lock):
            with screen.step("waiting for the installation by another demo"):
                while not try_lock(lock):
                    time.sleep(0.5)
        if _DONE.exists() and _DONE.read_text() == _wanted():
            return
        require_space(HOME, _SPACE)
        screen.heading("Installing (first start only)")
        _make_environment(screen)
        _install_packages(screen)
        _DONE.write_text(_wanted())


def _wanted() -> str:
    """Return a hash of the lock file, the Python and the folder: a change of any means installing again."""
    parts = [LOCK.read_bytes(), (ROOT / "setup.cfg").read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _make_environment(screen: Screen) -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise InstallError(
            f"this Python has no {' and no '.join(missing)}: on Debian or Ubuntu, run: "
            f"apt-get install python{sys.version_info.major}.{sys.version_info.minor}-venv"
        )
    LOG.write_text("")
    with screen.step(f"virtual environment in {VENV}"):
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)], screen)


def _install_packages(screen: Screen) -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    with screen.step("packages from PyPI, each checked against its hash"):
        _run([*pip, "--retries", "2", "--require-hashes", "-r", str(LOCK)], screen)
    with screen.step("Lockstep"):
        _run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], screen)


def _run(command: list[str], screen: Screen) -> None:
    """Run a step of the installation, with its output in the log. Raises InstallError."""
    collected = 0
    total = len(re.findall(r"^\S+==", LOCK.read_text(), re.MULTILINE))
    with (
        LOG.open("a") as log,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                log.write(line)
                collected += line.startswith("Collecting ")
                if line.startswith(("Collecting ", "Installing ")):
                    screen.show_progress(f"{collected}/{total} {line.split('(')[0].strip()[:60]}")
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise InstallError(_explain(LOG.read_text()))


def _explain(output: str) -> str:
    """Return why installing failed, in one line, from pip's output."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if line.lower().startswith("error")), lines[-1] if lines else "")
    causes = [line for line in lines if _NETWORK.search(line)]
    # pip ends with "from versions: none" for any network error; the lines before name the cause.
    cause = next((line for line in reversed(causes) if "from versions: none" not in line), causes[-1] if causes else "")
    if "No space left on device" in output:
        return f"the disk is full: free some space for {HOME}, then run this again (log: {LOG})"
    if "DO NOT MATCH THE HASHES" in output:
        return f"a download is not the file that {LOCK.name} names by its hash; nothing of it was used (log: {LOG})"
    if cause:
        cause = cause.rpartition(">: ")[2].partition("')")[0]  # without urllib3's wrapping
        return (
            f"the Python package index cannot be reached: check the network, then run this again. {cause} (log: {LOG})"
        )
    return f"installing failed: {last} (log: {LOG})"
