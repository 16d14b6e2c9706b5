"""The demo's folder: stored secrets, permissions, and the lock."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from tools.stack.demo.state import State
from tools.stack.errors import StackError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_random_kept_and_private(tmp_path: Path) -> None:
    state = State(tmp_path)
    first = state.secrets(("one", "two"))
    assert len(set(first.values())) == 2
    assert min(map(len, first.values())) >= 32
    assert State(tmp_path).secrets(("one", "two")) == first
    assert mode(tmp_path / "secrets.json") == 0o600


def test_new_name_does_not_change_the_other_secrets(tmp_path: Path) -> None:
    first = State(tmp_path).secrets(("one",))
    assert State(tmp_path).secrets(("one", "two"))["one"] == first["one"]


def test_unreadable_secrets_are_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(StackError, match="--fresh"):
        State(tmp_path).secrets(("one",))


def test_env_file_is_private_and_quotes_what_a_shell_would_read(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.write_env({"A": "it's; $HOME"})
    assert state.env_file.read_text() == "export A='it'\"'\"'s; $HOME'\n"
    assert mode(state.env_file) == 0o600


def test_fresh_start_deletes_data_logs_and_secrets_but_not_the_installation(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.secrets(("one",))
    state.prepare()
    state.mark_done("accounts")
    (tmp_path / "venv").mkdir()
    state.clear()
    assert {entry.name for entry in tmp_path.iterdir()} == {"venv"}


def test_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(StackError, match="not the demo's"), State(tmp_path).locked():
        pass
    assert (tmp_path / "data").exists()


def _try(folder: Path, answers: "multiprocessing.Queue[str]") -> None:
    try:
        with State(folder).locked():
            answers.put("locked")
    except StackError as error:
        answers.put(str(error))


def test_second_demo_in_the_folder_is_refused_with_the_process_id(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    with State(tmp_path).locked():
        holder = (tmp_path / "lock").read_text()
        other = spawn.Process(target=_try, args=(tmp_path, answers))
        other.start()
        answer = answers.get(timeout=30)
        other.join()
    assert f"as process {holder}" in answer
    with State(tmp_path).locked():
        pass
