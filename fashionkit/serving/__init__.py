"""Web application for a fitted model: a page in the browser and a JSON API."""

from fashionkit.serving._make import make_app

__all__ = ["make_app"]
