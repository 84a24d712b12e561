"""Features, made by hand or by a frozen network, and a classical classifier."""

from fashionkit.baselines._make import make_baseline

__all__ = ["make_baseline"]
