"""Signed addresses and tokens, the same-origin rule, and the headers that every answer carries.

Streamlit's own session and XSRF checks do not reach routes of ours, so each of them proves its caller
itself: an image by the signature in its address, a write by a token made in the page plus its origin.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from al_core.errors import ConfigError, Problem
from state import handles

HOUR: Final = 3600
LIFETIME: Final = 24 * HOUR
_SECRET_BYTES: Final = 32


def secret() -> bytes:
    """The key of all signatures: AL_SECRET, or the one kept in AL_HOME, so that it outlives a restart.

    Raises:
        ConfigError: AL_SECRET is too short to protect anything.
    """
    given = os.environ.get("AL_SECRET", "")
    if given:
        if len(given) < 16:
            allowed = "16 characters at least; unset it to let the program make one"
            raise ConfigError([Problem("AL_SECRET", "(hidden)", allowed)])
        return hashlib.sha256(given.encode()).digest()
    return _kept_secret(handles.settings().home)


@cache
def _kept_secret(home: Path) -> bytes:
    path = home / "secret"
    if not path.exists():
        # Linking a complete file into place is atomic, and fails if another process was first.
        handle, name = tempfile.mkstemp(dir=home, prefix=".secret-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)
            except FileExistsError:
                pass  # the other process's secret is as good as ours
            except OSError:
                temporary.replace(path)  # a file system without hard links
        finally:
            temporary.unlink(missing_ok=True)
    value = path.read_bytes()
    if len(value) < _SECRET_BYTES:
        allowed = f"{_SECRET_BYTES} random bytes are expected; delete the file and start again"
        raise ConfigError([Problem("secret", str(path), allowed)])
    return value


def sign(*parts: str | int) -> str:
    """A signature of `parts`, safe in addresses. Lengths are signed too: no two lists share a text."""
    text = "".join(f"{len(str(part))}:{part};" for part in parts)
    digest = hmac.new(secret(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()  # 144 bits, no padding


def verify(signature: str, *parts: str | int) -> bool:
    """Whether `signature` is ours, compared in constant time."""
    return hmac.compare_digest(sign(*parts).encode(), signature.encode("utf-8", "surrogatepass"))


def expiry(lifetime: int = LIFETIME) -> int:
    """When something signed now ends; rounded to the hour, so that addresses stay equal and cached."""
    return (int(time.time()) // HOUR + 1) * HOUR + lifetime


def token(scope: str, subject: str, person: str = "") -> str:
    """A right to use one route (`scope`: "labels", "metrics") for one experiment (`subject`).

    What is written with it is written in the name of `person`, which the browser cannot change.
    """
    end = expiry()
    if not person:
        return f"{end}.{sign('token', scope, subject, end)}"
    name = base64.urlsafe_b64encode(person.encode()).decode().rstrip("=")
    return f"{end}.{name}.{sign('token', scope, subject, end, person)}"


def bearer(value: str, scope: str, subject: str) -> str | None:
    """In whose name a token is ("": nobody's in particular); None where it is not ours or has ended."""
    end, *named, signature = value.split(".")[:3] if value.count(".") in (1, 2) else ("", "")
    if not re.fullmatch(r"[0-9]{1,12}", end) or int(end) <= time.time():
        return None
    try:
        person = base64.urlsafe_b64decode(named[0] + "=" * (-len(named[0]) % 4)).decode() if named else ""
    except ValueError:
        return None
    signed = ("token", scope, subject, int(end), *([person] if named else []))
    return person if verify(signature, *signed) else None


def check_token(value: str, scope: str, subject: str) -> bool:
    """Whether `value` is a token of ours for this, and has not ended."""
    return bearer(value, scope, subject) is not None


def prefix() -> str:
    """What stands in front of our routes: "" or "/base", as `server.baseUrlPath` says.

    Streamlit puts it in front of its own routes only.
    """
    base = str(streamlit.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def same_origin(request: Request) -> bool:
    """Whether a write comes from a page of ours.

    `Sec-Fetch-Site` is the browser's own word and survives proxies, but is sent over https and on
    localhost only; elsewhere the Origin's host must be the host that was asked.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")


@cache
def content_security_policy(own: tuple[str, ...] = ()) -> str:
    """The CSP of every page: components load as `blob:`, inline scripts are named by their hashes."""
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    inline = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    inline += own
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    scripts = " ".join(["'self'", "'wasm-unsafe-eval'", "blob:", *(f"'sha256-{value}'" for value in hashes)])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


class SecurityHeaders:
    """ASGI middleware: the security headers on every HTTP answer, unless a route has set its own."""

    def __init__(self, app: ASGIApp, scripts: tuple[str, ...] = ()) -> None:
        self.app = app
        self._headers = {
            "Content-Security-Policy": content_security_policy(scripts),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)
