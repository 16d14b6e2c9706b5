"""The shop's pages."""

from pathlib import Path

ASSETS = Path(__file__).parent / "static"
