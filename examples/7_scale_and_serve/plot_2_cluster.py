"""
A search and a comparison on a cluster
======================================

Whatever takes ``n_jobs`` in scikit-learn also runs on a cluster of computers, and so does
:func:`~fashionkit.compare_models`: inside of ``joblib.parallel_config(backend="dask")`` the fits go
to the workers of `Dask <https://distributed.dask.org>`_. It needs ``pip install "fashionkit[dask]"``,
on each of the computers.
"""

# %%
# The cluster
# -----------
#
# Here two processes of one computer stand for it, each of which computes in one thread.
# ``SubprocessCluster`` starts them by commands, as they are started on other computers. On a real
# cluster these lines become ``client = Client("tcp://scheduler:8786")``, and the rest stays as it is.

from distributed import Client, SubprocessCluster, get_task_stream

cluster = SubprocessCluster(
    n_workers=2, threads_per_worker=1, dashboard_address=None
)
client = Client(cluster)

# %%
# A search
# --------
#
# ``scatter`` sends the images to each worker once. The 12 fits find them there, and only parameters
# and rows travel with a fit.

import joblib
from sklearn.model_selection import GridSearchCV

from fashionkit import (
    compare_models,
    fetch_fashion_mnist,
    load_pretrained,
    make_garments,
    make_model,
)

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(1_000, random_state=0)
    X_test, y_test = make_garments(500, random_state=1)
X, y, X_test, y_test = X[:600], y[:600], X_test[:500], y_test[:500]

search = GridSearchCV(
    make_model("hog-svm", random_state=0),
    {"hog__orientations": [6, 12], "svm__C": [1, 10]},
    cv=3,
    n_jobs=2,
)
with (
    joblib.parallel_config(backend="dask", scatter=[X, y]),
    get_task_stream(client) as search_tasks,
):
    search.fit(X, y)
search.best_params_

# %%
# A comparison
# ------------
#
# The best of the search, the same model with its defaults, and the network that comes with the package, trained on
# 60,000 images: it is frozen, and a worker only evaluates it, for which it starts TensorFlow. A comparison sends its
# images only once by itself.

from sklearn.frozen import FrozenEstimator

models = {
    "hog-svm, tuned": search.best_estimator_,
    "hog-svm": make_model("hog-svm", random_state=0),
    "packaged network": FrozenEstimator(
        load_pretrained("fashion-mnist-v1")
    ),
}
with (
    joblib.parallel_config(backend="dask"),
    get_task_stream(client) as comparison_tasks,
):
    comparison = compare_models(
        models, X, y, X_test=X_test, y_test=y_test, n_jobs=2
    )
comparison

# %%
# Who did what
# ------------
#
# Each bar is a task: what a worker has computed, and what it first fetched from another one.

import matplotlib.pyplot as plt

streams = {"search": search_tasks, "comparison": comparison_tasks}
colors = {"compute": "tab:blue", "transfer": "tab:orange"}
fig, axes = plt.subplots(2, 1, figsize=(7, 3.6), layout="constrained")
for ax, (title, tasks) in zip(axes, streams.items(), strict=True):
    workers = sorted({task["worker"] for task in tasks.data})
    steps = [
        (workers.index(task["worker"]), step)
        for task in tasks.data
        for step in task["startstops"]
        if step["action"] in colors
    ]
    begin = min(step["start"] for _, step in steps)
    for worker, step in steps:
        ax.barh(
            worker,
            step["stop"] - step["start"],
            left=step["start"] - begin,
            color=colors[step["action"]],
            edgecolor="white",
        )
    ax.set_yticks(
        range(len(workers)),
        [f"worker {number + 1}" for number in range(len(workers))],
    )
    ax.set(title=title, xlabel="seconds")
handles = [
    plt.Rectangle((0, 0), 1, 1, color=c) for c in colors.values()
]
fig.legend(handles, colors, loc="outside right upper")
plt.show()

# %%
# At the end of a script, the workers are stopped.

client.close()
cluster.close()
