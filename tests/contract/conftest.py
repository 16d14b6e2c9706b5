"""Contract tests read files, independent of the environment."""

from pathlib import Path

import pytest

from lockstep.doctor.settings import settings_classes

ALL_SETTINGS = {field.upper() for cls in settings_classes().values() for field in cls.model_fields}


@pytest.fixture
def no_settings_from_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the shell's variables and a developer's .env."""
    for field in ALL_SETTINGS:
        monkeypatch.delenv(field, raising=False)
        monkeypatch.delenv(f"{field}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
