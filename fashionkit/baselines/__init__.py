"""Features, made by hand or by a frozen network, and a classical classifier."""

from fashionkit.baselines._make import make_baseline
from fashionkit.baselines._neighbors import BoundedKNeighborsClassifier

__all__ = ["BoundedKNeighborsClassifier", "make_baseline"]
