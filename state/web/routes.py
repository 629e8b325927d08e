"""What app.py hands to st.App: our routes and middleware."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from state.web.health import health_routes
from state.web.images import image_route
from state.web.labels import labels_route
from state.web.metrics import metrics_routes
from state.web.security import SecurityHeaders


def routes() -> list[BaseRoute]:
    """Every route of ours, behind the base URL path."""
    return [image_route(), labels_route(), *metrics_routes(), *health_routes()]


def middleware() -> list[Middleware]:
    """Runs in front of Streamlit's own."""
    return [Middleware(SecurityHeaders)]
