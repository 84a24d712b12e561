"""Tables of what a classifier gets wrong: its confusions and its mistakes."""

from fashionkit.inspection._confusions import most_confused
from fashionkit.inspection._mistakes import worst_mistakes

__all__ = ["most_confused", "worst_mistakes"]
