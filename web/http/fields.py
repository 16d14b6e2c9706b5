"""Fields that validate exactly as the OpenAPI document says."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from contract.product_rules import Rule


class PatchSchema(ma.Schema):
    """A merge patch: changes the fields that are sent, at least one."""

    @ma.validates_schema
    def _check_not_empty(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ma.ValidationError("Send at least one field to change.")


class Text(fields.String):
    """A text of a product: checked by its rule and loaded as the rule stores it."""

    def __init__(self, rule: Rule, **options: Any) -> None:
        documented = {"maxLength": rule.longest, "pattern": rule.pattern, **options.pop("metadata", {})}
        super().__init__(metadata=documented, **options)
        self._rule = rule

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if problem := self._rule.problem(text):
            raise ma.ValidationError(problem)
        return self._rule.tidy(text)


class Flag(fields.Boolean):
    """true or false; 1, "yes" and "on" are refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Whole(fields.Integer):
    """An integer as in JSON Schema: 5 or 5.0; "5" and true are refused."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise self.make_error("invalid", input=value)
        return int(value)
