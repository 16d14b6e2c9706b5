"""Shows the two sides of a comparison that fails in a schedule."""

import pytest

pytest.register_assert_rewrite("tests.model.schedules")
