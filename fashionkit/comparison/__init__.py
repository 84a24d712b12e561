"""Which model is better, and by more than chance? One protocol for all of them."""

from fashionkit.comparison._compare import compare_models
from fashionkit.comparison._comparison import Comparison

__all__ = ["Comparison", "compare_models"]
