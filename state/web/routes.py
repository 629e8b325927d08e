"""What app.py hands to st.App: our routes and middleware."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from state.web.assets import assets_route
from state.web.classes import classes_routes
from state.web.health import health_routes
from state.web.images import image_route
from state.web.labels import labels_route
from state.web.metrics import metrics_routes
from state.web.models import model_routes
from state.web.queried import queried_route
from state.web.seats import seats_route
from state.web.security import SecurityHeaders
from state.web.shell import base_script, shell_route
from state.web.transfers import transfer_routes


def routes() -> list[BaseRoute]:
    """Every route of ours, behind the base URL path."""
    return [
        image_route(), labels_route(), *classes_routes(), seats_route(), *metrics_routes(), *model_routes(),
        queried_route(), *transfer_routes(), assets_route(), *health_routes(), shell_route(),
    ]  # fmt: skip


def middleware() -> list[Middleware]:
    """Runs in front of Streamlit's own."""
    return [Middleware(SecurityHeaders, scripts=(base_script(),))]
