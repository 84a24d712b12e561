"""Served models, small ones; skipped where what they are served with is missing."""

from __future__ import annotations

import importlib.util

import pytest
from served import colors_and_labels, serving
from sklearn.frozen import FrozenEstimator

from fashionkit import SelectiveClassifier, make_app, make_model

_NEEDED = ("fastapi", "httpx", "python_multipart", "uvicorn")
_MISSING = [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def pytest_collection_modifyitems(items):
    """Skip these tests where what they serve with is missing."""
    if _MISSING:
        reason = f"needs {', '.join(_MISSING)}: pip install 'fashionkit[serve]' httpx"
        for item in items:
            if "/tests/serving/" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def model():
    """Return a classifier of the colours of shirts."""
    X, y = colors_and_labels()
    return make_model("pixels-forest", random_state=0).fit(X, y)


@pytest.fixture(scope="session")
def selective(model):
    """Return the same, which leaves what it has not seen to people."""
    X, y = colors_and_labels(60, random_state=1)
    return SelectiveClassifier(
        FrozenEstimator(model), criterion="confidence", level=0.9, random_state=0
    ).fit(X, y)


@pytest.fixture(scope="session")
def client(model):
    """Return a client of the model, which knows no more than its defaults."""
    with serving(make_app(model, name="shirts", max_files=4, max_bytes=400_000)) as client:
        yield client
