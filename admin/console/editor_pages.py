"""Pages for creating, changing, deleting and restoring a product. After an error the form shows what was typed."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from admin.accounts.identity import author
from admin.accounts.models import EDITOR
from admin.accounts.sessions import page_for
from admin.catalogue import queries, service
from admin.catalogue.images import service as images
from admin.catalogue.images.encoding import UnacceptableImageError
from admin.catalogue.models import Product, ProductRow
from admin.catalogue.service import ProductNotFoundError, SkuTakenError, StaleVersionError
from admin.console import product_form, product_list
from admin.console.blueprint import blp
from admin.console.product_form import ProductForm
from admin.monitoring import product_status
from admin.rest.preconditions import version_of_form
from runtime.bidi import isolated
from web.http.uploads import accepts_upload

Answer = str | Response | tuple[str, HTTPStatus]


@blp.get("/products/new")
@page_for(EDITOR)
def new_product() -> Answer:
    return _editor(ProductForm({"currency": "EUR"}))


@blp.post("/products/new")
@accepts_upload(images.MAX_MEBIBYTES)
@page_for(EDITOR)
def create_product() -> Answer:
    form = _read()
    if form.content is None or "preview" in request.form:
        return _editor(form)
    product: Product | ProductRow | None
    try:
        product = service.create_product(form.content, author())
    except SkuTakenError as error:
        product = queries.with_content(form.content)  # after a double click, which submitted the form twice
        if product is None:
            return _editor(form.refused(error.errors))
    flash(f"“{isolated(product.title)}” is saved. It is on its way to the shop.", "success")
    return redirect(url_for("console.show_product", product_id=product.id))


@blp.get("/products/<int:product_id>/edit")
@page_for(EDITOR)
def edit_product(product_id: int) -> Answer:
    product = service.get_product(product_id)
    return _editor(ProductForm(product_form.shown(product)), product)


@blp.post("/products/<int:product_id>/edit")
@accepts_upload(images.MAX_MEBIBYTES)
@page_for(EDITOR)
def save_product(product_id: int) -> Answer:
    opened_at = version_of_form()
    form = _read()
    product = _known(product_id)
    if form.content is None or "preview" in request.form:
        return _editor(form, product)
    try:
        saved = service.update_product(product_id, _changes(form, product), {opened_at}, author())
    except SkuTakenError as error:
        return _editor(form.refused(error.errors), product)
    except (StaleVersionError, ProductNotFoundError):
        return _conflict(product_id, form)
    flash(f"“{isolated(saved.title)}” is saved.", "success")
    return redirect(url_for("console.show_product", product_id=product_id))


@blp.get("/products/<int:product_id>/delete")
@page_for(EDITOR)
def confirm_delete(product_id: int) -> Answer:
    line = product_list.one(product_id)
    if line is None or line.product is None or line.product.deleted_at:
        raise ProductNotFoundError(f"There is no product {product_id}; it may have been deleted.")
    return render_template("console/delete.html", product=line.product, likes=line.likes)


@blp.post("/products/<int:product_id>/delete")
@page_for(EDITOR)
def delete_product(product_id: int) -> Answer:
    try:
        service.delete_product(product_id, {version_of_form()}, author())
    except StaleVersionError:
        flash("Someone else saved this product. Check the new version before you delete it.", "warning")
        return redirect(url_for("console.confirm_delete", product_id=product_id))
    return redirect(url_for("console.list_products", deleted=product_id))


@blp.post("/products/<int:product_id>/restore")
@accepts_upload(images.MAX_MEBIBYTES)
@page_for(EDITOR)
def restore_product(product_id: int) -> Answer:
    """Restore a product unchanged, or with the form's content: with a new sku, or after an edit met a delete."""
    deleted_at = version_of_form()
    form = _read() if "title" in request.form else None
    if form and form.content is None:
        return _restorer(form, _known(product_id), deleted_at)
    try:
        changes = _changes(form, _known(product_id)) if form else None
        product = service.restore_product(product_id, {deleted_at}, author(), changes)
    except SkuTakenError as error:
        was = _known(product_id)
        return _restorer((form or ProductForm(product_form.shown(was))).refused(error.errors), was, deleted_at)
    except StaleVersionError:
        if form:
            return _conflict(product_id, form)
        flash(
            "Someone else restored this product and deleted it again. Check it before you restore it.",
            "warning",
        )
        return redirect(url_for("console.show_product", product_id=product_id))
    flash(f"“{isolated(product.title)}” is restored. It is on its way to the shop.", "success")
    return redirect(url_for("console.show_product", product_id=product_id))


def _read() -> ProductForm:
    """Read the form. Stores an uploaded image at once, so that it survives an error in another field."""
    file = request.files.get("image_file")
    if not file or not file.filename:
        return product_form.read(request.form)
    try:
        address = images.store_image(file.stream)
    except UnacceptableImageError as error:
        form = product_form.read(request.form)
        return replace(form, content=None, errors={**form.errors, "image_file": f"It {error.errors[0]['detail']}."})
    return product_form.read({**request.form.to_dict(), "image_url": address})


def _conflict(product_id: int, form: ProductForm) -> Answer:
    """Show both versions of a product; without a difference between them, report it as saved."""
    product = _known(product_id)
    change = product_status.product_status(product_id, 1, None).versions
    by = change[0] if change else None
    if product.deleted_at:
        return _restorer(form, product, product.version, by)
    choices = product_form.choices(form, product_form.base_of(request.form), product)
    if all(choice.same for choice in choices):
        flash(f"“{isolated(product.title)}” is saved.", "success")  # a double click submitted the form twice
        return redirect(url_for("console.show_product", product_id=product_id))
    page = render_template("console/conflict.html", product=product, choices=choices, labels=product_form.LABELS, by=by)
    return page, HTTPStatus.CONFLICT


def _restorer(form: ProductForm, product: Product, version: int, by: object = None) -> Answer:
    shown = {"form": form, "product": product, "version": version, "base": _base(product), "by": by}
    return render_template("console/restore.html", **shown, categories=queries.categories()), HTTPStatus.CONFLICT


def _changes(form: ProductForm, product: Product) -> dict[str, Any]:
    return product_form.changes(form, _base(product))


def _base(product: Product) -> dict[str, str]:
    """Return the fields that the form was opened with."""
    return product_form.base_of(request.form) if "base_title" in request.form else product_form.shown(product)


def _known(product_id: int) -> Product:
    """Return a product, deleted or not. Raises ProductNotFoundError."""
    line = product_list.one(product_id)
    if line is None or line.product is None:
        raise ProductNotFoundError(f"There never was a product {product_id}.")
    return line.product


def _editor(form: ProductForm, product: Product | None = None) -> Answer:
    """Show the editor. ``base`` and ``version`` stay those that it was opened with, also after errors."""
    base = product_form.base_of(request.form) if request.form else form.values
    version = None if product is None else version_of_form() if request.form else product.version
    page = render_template(
        "console/editor.html", form=form, product=product, base=base, version=version, categories=queries.categories()
    )
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.errors else page
