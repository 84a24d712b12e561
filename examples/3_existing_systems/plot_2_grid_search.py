"""
A Pipeline with GridSearchCV
============================

Features and classifier have parameters, which are best chosen together, and on validation images.
A model by name is a Pipeline, so scikit-learn's :class:`~sklearn.model_selection.GridSearchCV` takes it as
it is, and a cache computes features once for all candidates that share them.
"""

# %%
from tempfile import TemporaryDirectory

import pandas as pd
from sklearn.model_selection import GridSearchCV

from fashionkit import fetch_fashion_mnist, make_garments, make_model

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(10_000, random_state=0)
    X_test, y_test = make_garments(2_000, random_state=1)
X, y = X[:1_500], y[:1_500]

# %%
# The model
# ---------
# Its steps have the names that parameters begin with.

cache = TemporaryDirectory()
model = make_model("hog-svm", memory=cache.name, random_state=0)
model

# %%
# The search
# ----------
# Two folds of 24 candidates: 48 fits, for which gradients are computed eight times, for four settings in
# two folds.

search = GridSearchCV(
    model,
    {
        "hog__orientations": [4, 12],
        "hog__pixels_per_cell": [4, [4, 7]],
        "svm__C": [1, 10],
        "svm__gamma": [0.02, 0.06, 0.2],
    },
    cv=2,
)
search.fit(X, y)
results = pd.DataFrame(search.cv_results_)
results = results.rename(
    columns=lambda name: name.replace("param_", "")
)
columns = [
    "hog__orientations",
    "hog__pixels_per_cell",
    "svm__C",
    "svm__gamma",
    "mean_test_score",
]
results.nlargest(5, "mean_test_score")[columns].round(3)

# %%
# Every candidate
# ---------------
# Each point is a candidate. The parameters of the features matter more than those of the support vector
# machine.

import matplotlib.pyplot as plt

panels = results.groupby(
    ["hog__orientations", results["hog__pixels_per_cell"].astype(str)]
)
figure, axes = plt.subplots(
    1, len(panels), figsize=(10, 3.4), sharey=True, layout="constrained"
)
for ax, ((orientations, cell), part) in zip(axes, panels, strict=True):
    for C, line in part.groupby("svm__C"):
        ax.semilogx(
            line["svm__gamma"].astype(float),
            100 * line["mean_test_score"],
            "o-",
            label=f"C = {C}",
        )
    ax.set(
        title=f"{orientations} directions\ncells of {cell} pixels",
        xlabel="gamma",
    )
    ax.set_xticks([0.02, 0.06, 0.2], ["0.02", "0.06", "0.2"])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
axes[0].set_ylabel("validation accuracy (%)")
axes[0].legend()

# %%
# The search has fitted the best candidate again, on all 1,500 images. The test images are used once:

print(f"{search.score(X_test, y_test):.1%} of the test images")
cache.cleanup()

# %%
# With more parameters than a grid can hold, :func:`~fashionkit.make_search` draws candidates at random from
# distributions that ship with each name: ``make_search("hog-svm", n_iter=20)``.
