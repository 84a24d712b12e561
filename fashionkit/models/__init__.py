"""Every model by its name, and searches over their parameters."""

from fashionkit.models._make import describe_models, list_models, make_model
from fashionkit.models._make import nearest_models as nearest_models
from fashionkit.models._search import make_search

__all__ = ["describe_models", "list_models", "make_model", "make_search"]
