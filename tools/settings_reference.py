"""Generate the settings reference from the settings classes: ``.env.example``, and the tables of the documentation.

Run ``python -m tools.settings_reference > .env.example`` after changing a setting or its description.
"""

import textwrap
from collections.abc import Iterator

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from lockstep.doctor.settings import settings_classes
from runtime.settings import Settings

_WIDTH = 110
_HEAD = (
    "All settings of Lockstep, generated from their classes by tools/settings_reference.py.",
    "Copy this file to .env, and replace or remove each line: `change-me` is refused at start.",
)
_RULES = (
    "Settings are environment variables, or lines of a `.env` file in the working folder; the environment wins.",
    "Instead of `X`, the environment may give `X_FILE`: the path of a file with the value.",
    "There are no default secrets. `lockstep doctor` prints each setting with its source, secrets masked, and what is "
    "wrong.",
    "In the user and password of a URL, percent-encode every character but letters, digits and `-._~`, as UTF-8 (`/` "
    "is `%2F`, `@` is `%40`): `python3 -c 'from urllib.parse import quote; print(quote(input(), safe=\"\"))'`.",
    "An IPv6 address is written in brackets: `amqp://user:password@[::1]:5672//`, `[::1]:9101`.",
    "A new secret: `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`.",
)


def env_example() -> str:
    """Return the content of ``.env.example``: each setting once, with its description and a value that is refused."""
    lines = [line for sentence in (*_HEAD, *_RULES) for line in _comment(sentence)]
    for cls, fields in _sections():
        lines += ["", "", *_comment(_readers(cls))]
        for name, field in fields.items():
            lines += ["", *_comment(f"{_need(field)} {field.description}"), f"{name}=change-me"]
    return "\n".join(lines) + "\n"


def tables() -> str:
    """Return the reference in Markdown, with a table for each class."""
    lines = [f"- {rule}" for rule in _RULES]
    for cls, fields in _sections():
        title, _, rest = _readers(cls).partition(": ")
        lines += ["", f"## {title.partition('.')[0]}", "", f"Read by {rest}" if rest else title, ""]
        lines += ["| setting | meaning |", "| --- | --- |"]
        lines += [f"| `{name}` | {_need(field)} {field.description} |" for name, field in fields.items()]
    return "\n".join(lines)


def _sections() -> Iterator[tuple[type[Settings], dict[str, FieldInfo]]]:
    """Yield each class with its settings; a setting of several classes only with the first."""
    seen: set[str] = set()
    for cls in settings_classes().values():
        fields = {name.upper(): field for name, field in cls.model_fields.items() if name not in seen}
        seen |= cls.model_fields.keys()
        yield cls, fields


def _readers(cls: type[Settings]) -> str:
    return " ".join((cls.__doc__ or "").replace("``", "`").split())


def _need(field: FieldInfo) -> str:
    if field.is_required():
        return "Required."
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return f"Default: `{str(default).lower() if isinstance(default, bool) else default}`." if default else "Optional."


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)]


if __name__ == "__main__":
    print(env_example(), end="")
