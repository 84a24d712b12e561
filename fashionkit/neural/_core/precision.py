"""Which number type a network trains fastest in, on this machine."""

from __future__ import annotations

import functools
from pathlib import Path

from fashionkit._keras_compat import compute_capability
from fashionkit._tensorflow import tensorflow

# Processors that multiply bfloat16 numbers in hardware say so by these names.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}

DTYPES = ("float32", "mixed_bfloat16", "mixed_float16", "auto")


def resolve_dtype(dtype: str) -> str:
    """Return Keras's policy for a parameter ``dtype``: for "auto", the fastest on this device."""
    return _fastest_dtype() if dtype == "auto" else dtype


@functools.cache
def _fastest_dtype() -> str:
    tf = tensorflow()
    for device in tf.config.list_physical_devices("GPU"):
        major = compute_capability(device)
        if major >= 8:
            return "mixed_bfloat16"
        return "mixed_float16" if major == 7 else "float32"
    return "mixed_bfloat16" if _BFLOAT16_FLAGS & _processor_flags() else "float32"


def _processor_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux: not known
        return set()
    return set(next((line.split() for line in lines if line.startswith("flags")), ()))
