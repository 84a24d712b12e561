"""
Your own architecture, in anybody's Pipeline
============================================

Any function that returns a Keras model can be the architecture of a
:class:`~fashionkit.CNNClassifier`. The rest is scikit-learn: its parameters are searched over, and the
classifier stands in a Pipeline, in a cross-validation or in an ensemble beside others.
"""

# %%
# The architecture
# ----------------
# It gets the shape of the images and the number of classes. Its other arguments become parameters. This one has
# separable convolutions, which need few weights.


def separable(input_shape, n_classes, *, width=16, depth=2):
    """Build a network of depthwise separable convolutions."""
    import keras
    from keras import layers

    inputs = keras.Input(input_shape)
    x = layers.Conv2D(width, 3, padding="same", activation="relu")(
        inputs
    )
    for level in range(depth):
        x = layers.SeparableConv2D(
            width * 2 ** (level + 1), 3, padding="same", use_bias=False
        )(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(n_classes, activation="softmax")(x)
    return keras.Model(inputs, outputs)


# %%
# In a Pipeline
# -------------
# The step before is scikit-learn's: it makes images of half the size, which are classified in a quarter of
# the time. Images may be passed on as squares or as flat rows.

from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from fashionkit import CNNClassifier, fetch_fashion_mnist, make_garments

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(10_000, random_state=0)
X, X_test, y, y_test = train_test_split(
    X, y, train_size=2_500, test_size=2_000, stratify=y, random_state=0
)


def halve(images):
    """Return the means of 2 × 2 pixels."""
    n, height, width = images.shape
    return images.reshape(n, height // 2, 2, width // 2, 2).mean(
        axis=(2, 4)
    )


pipeline = Pipeline(
    [
        ("halve", FunctionTransformer(halve)),
        (
            "cnn",
            CNNClassifier(
                separable,
                epochs=6,
                batch_size=64,
                learning_rate=0.01,
                learning_rate_schedule="one-cycle",
                random_state=0,
            ),
        ),
    ]
)
pipeline

# %%
# A search over the architecture
# ------------------------------
# The arguments of the function are reached by ``architecture__``, through the Pipeline.

search = GridSearchCV(
    pipeline,
    {
        "cnn__architecture__width": [8, 16, 32],
        "cnn__architecture__depth": [2, 3],
    },
    cv=2,
)
search.fit(X, y)
print(f"{search.best_params_}")
print(f"{search.score(X_test, y_test):.1%} of the test images")

# %%
# What width and depth are worth:

import matplotlib.pyplot as plt
import pandas as pd

results = pd.DataFrame(search.cv_results_)
grid = 100 * results.pivot(
    index="param_cnn__architecture__depth",
    columns="param_cnn__architecture__width",
    values="mean_test_score",
).astype(float)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
image = ax.imshow(grid, cmap="viridis")
ax.set_xticks(range(grid.shape[1]), grid.columns)
ax.set_yticks(range(grid.shape[0]), grid.index)
ax.set(xlabel="width", ylabel="depth", title="validation accuracy (%)")
middle = (grid.values.max() + grid.values.min()) / 2
for row in range(grid.shape[0]):
    for column in range(grid.shape[1]):
        value = grid.values[row, column]
        ax.text(
            column,
            row,
            f"{value:.1f}",
            ha="center",
            va="center",
            color="black" if value > middle else "white",
        )

# %%
# With others in an ensemble
# --------------------------
# A :class:`~sklearn.ensemble.VotingClassifier` averages the probabilities of the network and of the
# nearest neighbours by gradients. They err differently, so that both together are better than each.

from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator

from fashionkit import make_model

gradients = make_model("hog-knn", random_state=0).fit(X, y)
ensemble = VotingClassifier(
    [
        ("network", FrozenEstimator(search.best_estimator_)),
        ("gradients", FrozenEstimator(gradients)),
    ],
    voting="soft",
)
ensemble.fit(X, y)
pd.Series(
    {
        "network": search.score(X_test, y_test),
        "gradients": gradients.score(X_test, y_test),
        "ensemble": ensemble.score(X_test, y_test),
    },
    name="accuracy",
).round(3)
