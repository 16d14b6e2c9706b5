"""Fields that mean what the OpenAPI document says of them."""

from typing import Any

from marshmallow import fields


class Whole(fields.Integer):
    """An integer as JSON Schema has it: 5 and 5.0, but neither "5" nor true."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise self.make_error("invalid", input=value)
        return int(value)
