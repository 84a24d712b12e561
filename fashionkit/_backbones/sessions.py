"""Sessions of onnxruntime, and the libraries of the extra "onnx"."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Weights that an ONNX file looks for in other files are looked for here, where none are: what
# bytes from somewhere name may not be read.
_NOWHERE = "/dev/null/fashionkit"


def require(module: str) -> Any:
    """Import a library of the extra, or say how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f'this needs {module}, which is not installed: pip install "fashionkit[onnx]".'
        ) from error


def open_session(data: bytes, n_threads: int) -> Any:
    """Make a session of onnxruntime of bytes alone, on the processor.

    Parameters
    ----------
    data : bytes
        A model, with all its weights.

    n_threads : int
        Number of threads that compute one answer.

    Returns
    -------
    session : onnxruntime.InferenceSession
        Its errors are of many kinds, as are those of making it.
    """
    runtime = require("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.log_severity_level = 3
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", _NOWHERE
    )
    return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
