"""What a classifier gets wrong, how often it is right when it is sure, and duplicates."""

from fashionkit.inspection._calibration import calibration_bins, expected_calibration_error
from fashionkit.inspection._confusions import most_confused
from fashionkit.inspection._duplicate_finder import DuplicateFinder
from fashionkit.inspection._duplicates import find_duplicates
from fashionkit.inspection._mistakes import worst_mistakes
from fashionkit.inspection._selective import risk_coverage_areas, risk_coverage_curve

__all__ = [
    "DuplicateFinder",
    "calibration_bins",
    "expected_calibration_error",
    "find_duplicates",
    "most_confused",
    "risk_coverage_areas",
    "risk_coverage_curve",
    "worst_mistakes",
]
