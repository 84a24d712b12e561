"""Comparison of models under one protocol, with tests of their differences."""

from fashionkit.comparison._compare import compare_models
from fashionkit.comparison._comparison import Comparison

__all__ = ["Comparison", "compare_models"]
