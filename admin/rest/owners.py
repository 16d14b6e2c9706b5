"""REST for owners: staff, API keys, audit trail."""

from typing import Any

import marshmallow as ma
from flask import url_for
from flask.views import MethodView

from admin.accounts import audit, keys, roster, service
from admin.accounts.identity import author
from admin.accounts.models import OWNER, ROLES
from admin.accounts.tokens import api_for
from admin.rest.replication_schemas import Moment
from web.http.api import Blueprint, bearer_doc
from web.http.cursors import PageSchema, next_link
from web.http.fields import Flag, PatchSchema
from web.security.tokens import CredentialsSchema

blp = Blueprint("owners", __name__, url_prefix="/api/v1", description="Staff, API keys and audit trail; for owners")

A_ROLE = ma.validate.OneOf(ROLES)


class StaffSchema(ma.Schema):
    id = ma.fields.Integer()
    email = ma.fields.String()
    role = ma.fields.String(validate=A_ROLE)
    disabled = ma.fields.Function(lambda staff: staff.disabled_at is not None, metadata={"type": "boolean"})
    created_at = Moment()


class StaffListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(StaffSchema))


class NewStaffSchema(CredentialsSchema):
    role = ma.fields.String(required=True, validate=A_ROLE)


class StaffChangeSchema(PatchSchema):
    """Only the given fields are changed."""

    role = ma.fields.String(validate=A_ROLE)
    disabled = Flag()
    password = ma.fields.String(load_only=True, validate=CredentialsSchema().fields["password"].validate)


@blp.route("/staff")
class StaffList(MethodView):
    @api_for(OWNER)
    @blp.doc(**bearer_doc())
    @blp.response(200, StaffListSchema)
    def get(self) -> Any:
        """List all accounts, disabled ones too."""
        return {"items": roster.all_staff()}

    @api_for(OWNER)
    @blp.doc(**bearer_doc())
    @blp.arguments(NewStaffSchema)
    @blp.response(201, StaffSchema)
    @blp.alt_response(409, description="The e-mail is taken")
    def post(self, new: dict[str, Any]) -> Any:
        """Create an account."""
        staff = service.add_staff(**new, by=author())
        return staff, {"Location": url_for("owners.OneOfStaff", staff_id=staff.id)}


@blp.route("/staff/<int:staff_id>")
class OneOfStaff(MethodView):
    @api_for(OWNER)
    @blp.doc(**bearer_doc())
    @blp.response(200, StaffSchema)
    @blp.alt_response(404, description="No such account")
    def get(self, staff_id: int) -> Any:
        """Return an account."""
        return roster.get(staff_id)

    @api_for(OWNER)
    @blp.doc(**bearer_doc())
    @blp.arguments(StaffChangeSchema)
    @blp.response(200, StaffSchema)
    @blp.alt_response(404, description="No such account")
    @blp.alt_response(409, description="It is the last owner")
    def patch(self, changes: dict[str, Any], staff_id: int) -> Any:
        """Change role, password, or whether the account is disabled. Each change ends its sign-ins."""
        return roster.change(staff_id, author(), **changes)

    @api_for(OWNER)
    @blp.doc(**bearer_doc())
    @blp.response(204)
    @blp.alt_response(404, description="No such account")
    @blp.alt_response(409, description="It is the last owner")
    def delete(self, staff_id: int) -> None:
        """Remove an account. Its name stays in the history of products and in the audit trail."""
        roster.remove(staff_id, author())


class ApiKeySchema(ma.Schema):
    id = ma.fields.Integer()
    name = ma.fields.String()
    prefix = ma.fields.String(metadata={"description": "what the key begins with"})
    role = ma.fields.String(validate=A_ROLE)
    created_by = ma.fields.String()
    created_at = Moment()
    expires_at = Moment(allow_none=True)
    last_used_at = Moment(allow_none=True)


class MadeApiKeySchema(ApiKeySchema):
    key = ma.fields.String(metadata={"description": "the secret; shown only here"})


class ApiKeyListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ApiKeySchema))


class NewApiKeySchema(ma.Schema):
    name = ma.fields.String(
        required=True,
        validate=ma.validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}\Z", error="Use letters and digits."),
    )
    role = ma.fields.String(required=True, validate=A_ROLE)
    days = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(1, 3650))


@blp.route("/api-keys")
class Keys(MethodView):
    @api_for(OWNER)
    @blp.doc(**bearer_doc())
    @blp.response(200, ApiKeyListSchema)
    def get(self) -> Any:
        """List the keys, without their secrets."""
        return {"items": keys.all_keys()}

    @api_for(OWNER)
    @blp.doc(**bearer_doc())
    @blp.arguments(NewApiKeySchema)
    @blp.response(201, MadeApiKeySchema)
    @blp.alt_response(409, description="The name is taken")
    def post(self, new: dict[str, Any]) -> Any:
        """Create a key for a program. Only this answer contains its secret."""
        key, secret = keys.make(**new, by=author())
        shown = {name: getattr(key, name) for name in ApiKeySchema().fields}
        return {**shown, "key": secret}, {"Cache-Control": "no-store"}


@blp.route("/api-keys/<int:key_id>", methods=["DELETE"])
@api_for(OWNER)
@blp.doc(**bearer_doc())
@blp.response(204)
@blp.alt_response(404, description="No such key")
def revoke_key(key_id: int) -> None:
    """Revoke a key. It stops working immediately."""
    keys.revoke(key_id, author())


class AuditEventSchema(ma.Schema):
    id = ma.fields.Integer()
    at = Moment()
    kind = ma.fields.String()
    actor = ma.fields.String()
    subject = ma.fields.String(allow_none=True)
    detail = ma.fields.String(allow_none=True)
    address = ma.fields.String(allow_none=True)
    request_id = ma.fields.String(allow_none=True)


class AuditListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(AuditEventSchema))
    next_cursor = ma.fields.String(allow_none=True)


@blp.route("/audit")
@api_for(OWNER)
@blp.doc(**bearer_doc())
@blp.arguments(PageSchema, location="query")
@blp.response(200, AuditListSchema)
def list_audit(query: dict[str, Any]) -> Any:
    """List events of accounts and keys, newest first. The Link header leads to the next page."""
    page = audit.list_events(**query)
    return page, next_link(page.next_cursor)
