"""Features, made by hand or by a frozen network, and a classical classifier."""

from fashionkit.baselines._make import baselines, make_baseline

__all__ = ["baselines", "make_baseline"]
