"""What browsers are told to hold a page of ours to."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

__all__ = ["LOGIN_POLICY", "put"]

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'{sockets}; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and in nobody's frame. Vue makes functions of templates, and NiceGUI writes scripts
into its pages: hence the two that are unsafe elsewhere. What cameras are called is never written as HTML."""

LOGIN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A page whose script is a file of its own needs nothing unsafe."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR_S = 365 * 86400


def put(headers: MutableHeaders, *, host: str, secure: bool) -> None:
    """Add to an answer what holds for all of them. ``host``: as it was asked for, and found to be ours."""
    # Older browsers do not take 'self' to be a WebSocket of the same place.
    sockets = f" {'wss' if secure else 'ws'}://{host}" if host else ""
    headers.setdefault("Content-Security-Policy", _POLICY.format(sockets=sockets))
    headers.setdefault("Cache-Control", "no-store")
    for name, value in _ALWAYS.items():
        headers[name] = value
    if secure:
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
