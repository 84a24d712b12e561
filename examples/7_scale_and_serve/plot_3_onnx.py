"""
A network without TensorFlow: ONNX
==================================

A model that is trained here can be used where there is no TensorFlow, and no Python: in an ONNX file, which a
small runtime executes. This page writes one, checks that it answers as before, and measures what is gained. It needs
``pip install "fashionkit[onnx]"``.
"""

# %%
# The model, and its file
# -----------------------
# :func:`~fashionkit.to_onnx` takes networks and whole Pipelines. The file has all that the model does to an image: it
# takes the pixels as they are.

import tempfile
from pathlib import Path

import numpy as np

from fashionkit import (
    CLASS_NAMES,
    ONNXClassifier,
    fetch_fashion_mnist,
    load_pretrained,
    make_garments,
    to_onnx,
)

try:
    X, y = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(2_000, random_state=1)
X, y = X[:2_000], y[:2_000]

model = load_pretrained("fashion-mnist-v1")
folder = Path(tempfile.mkdtemp())
path = to_onnx(model, folder / "model.onnx")
print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")

# %%
# The same answers
# ----------------
# :class:`~fashionkit.ONNXClassifier` is the file as a classifier of scikit-learn. Any other runtime of ONNX reads it,
# too.

onnx = ONNXClassifier(path)
difference = np.abs(
    onnx.predict_proba(X) - model.predict_proba(X)
).max()
print(f"largest difference of a probability: {difference:.1e}")
print(f"accuracy: {onnx.score(X, y):.1%}")

# %%
# How fast
# --------
# One image at a time, as the requests to a server come, and many together. Each bar is the median of several predictions.

from statistics import median
from time import perf_counter


def milliseconds(clf, images, repeats):
    """Return the median time of a prediction."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        clf.predict_proba(images)
        times.append(1000 * (perf_counter() - start))
    return median(times)


times = {
    name: {
        "one image": milliseconds(clf, X[:1], 50),
        "per image, of 500": milliseconds(clf, X[:500], 3) / 500,
    }
    for name, clf in {"TensorFlow": model, "ONNX": onnx}.items()
}

import matplotlib.pyplot as plt
import pandas as pd

from fashionkit.plotting import plot_samples

figure, axes = plt.subplots(
    1, 2, figsize=(8, 2.6), layout="constrained"
)
for ax, (kind, values) in zip(
    axes, pd.DataFrame(times).iterrows(), strict=True
):
    bars = ax.barh(
        values.index, values, color=["tab:orange", "tab:blue"]
    )
    ax.bar_label(bars, fmt="%.2f ms", padding=4)
    ax.set(
        title=kind, xlabel="milliseconds", xlim=(0, 1.3 * values.max())
    )
    ax.spines[["top", "right"]].set_visible(False)

# %%
# How long does it take until the first answer, in a Python that has just started? That of ONNX need not import
# TensorFlow.

import subprocess
import sys

onnx_code = f"""
import numpy as np
from fashionkit import ONNXClassifier
ONNXClassifier({str(path)!r}).predict(np.zeros((1, 28, 28), np.uint8))
import sys
print("tensorflow" in sys.modules)
"""
start = perf_counter()
answer = subprocess.run(
    [sys.executable, "-c", onnx_code],
    capture_output=True,
    text=True,
    check=True,
)
print(
    f"{perf_counter() - start:.1f} s; TensorFlow imported: {answer.stdout.strip()}"
)

# %%
# What the file says of some images:

labels = onnx.predict(X[:20])
# sphinx_gallery_thumbnail_number = 1
_ = plot_samples(X[:20], labels, class_names=CLASS_NAMES)
