"""What shoppers see."""

from pathlib import Path

ASSETS = Path(__file__).parent / "static"
