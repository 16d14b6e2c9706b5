"""What must never happen in a page, whatever is tested: errors, failed requests, another host."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError


@dataclass
class Guard:
    """Watches contexts; ``problems`` holds what was wrong, in words. ``hosts``: the ``host:port`` that are ours."""

    hosts: set[str]
    problems: list[str] = field(default_factory=list)
    _expected: dict[tuple[int, str], bool] = field(default_factory=dict)

    def expect(self, status: int, path: str) -> None:
        """Allow answers with ``status`` from ``path``; that none comes is a problem too."""
        self._expected[status, path] = False

    def watch(self, context: BrowserContext) -> None:
        """Note whatever goes wrong in any page of ``context``."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("response", self._response)

    def check(self) -> None:
        """Raise AssertionError naming all that was wrong."""
        missed = [f"{path} never answered {status}" for (status, path), seen in self._expected.items() if not seen]
        assert not self.problems + missed, "\n".join(["the page is not well:", *self.problems, *missed])

    def _console(self, message: ConsoleMessage) -> None:
        # a failed request is also told here; _response and _failed know which are expected
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text} ({message.location.get('url')})")

    def _error(self, error: WebError) -> None:
        self.problems.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and parts.netloc not in self.hosts:
            self.problems.append(f"request to another host: {request.url}")

    def _failed(self, request: Request) -> None:
        # what a page was still loading when it was left is aborted: no failure
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.method} {request.url} failed: {request.failure}")

    def _response(self, response: Response) -> None:
        key = response.status, urlsplit(response.url).path
        if key in self._expected:
            self._expected[key] = True
        elif response.status >= 400:
            self.problems.append(f"{response.request.method} {response.url} was answered {response.status}")
