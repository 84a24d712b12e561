"""A model on the web: a page for people, and JSON for programs."""

from fashionkit.serving._make import make_app

__all__ = ["make_app"]
