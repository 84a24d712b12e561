"""
How deep, and how many epochs?
==============================

A deeper network sees larger parts of an image, and more epochs let it learn more: until it learns the
training images by heart. Validation images show where that begins. They are part of the training data, so that
the test images are still unseen when all is decided.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from fashionkit import CNNClassifier, fetch_fashion_mnist, make_garments

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
except OSError:
    print("Fashion-MNIST cannot be downloaded: these are drawings.")
    X, y = make_garments(10_000, random_state=0)
    X_test, y_test = make_garments(2_000, random_state=1)
X_train, X_val, y_train, y_val = train_test_split(
    X, y, train_size=2_500, test_size=1_500, stratify=y, random_state=0
)

# %%
# One, two or three convolutions
# ------------------------------
# ``filters`` has a number for each convolution. All three networks are trained for 15 epochs, and
# ``history_`` keeps what each epoch reached on the training and on the validation images.

depths = {
    "1 convolution": (16,),
    "2 convolutions": (16, 32),
    "3 convolutions": (16, 32, 32),
}
networks = {}
for name, filters in depths.items():
    clf = CNNClassifier(
        architecture_params={"filters": filters},
        batch_size=64,
        learning_rate=2e-3,
        epochs=15,
        random_state=0,
    )
    networks[name] = clf.fit(X_train, y_train, X_val=X_val, y_val=y_val)

# %%
# What the curves say
# -------------------
# Accuracy on the training images (dotted) rises as long as one waits. On the validation images it levels
# off, and the loss, which also counts how sure a wrong answer is, begins to rise: from there on, the
# network learns by heart. The dots mark the best epoch of each.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
best = {}
for color, (name, clf) in zip(
    ["tab:blue", "tab:orange", "tab:green"],
    networks.items(),
    strict=True,
):
    history = pd.DataFrame(dict(clf.history_))
    history.index += 1
    epoch = history["val_loss"].idxmin()
    best[name] = {
        "parameters": clf.model_.count_params(),
        "best epoch": epoch,
        "validation loss": history["val_loss"][epoch],
        "validation accuracy": history["val_accuracy"][epoch],
    }
    for ax, metric in zip(axes, ["accuracy", "loss"], strict=True):
        ax.plot(history[metric], ":", color=color, alpha=0.8)
        ax.plot(history[f"val_{metric}"], color=color, label=name)
        ax.plot(
            epoch, history[f"val_{metric}"][epoch], "o", color=color
        )
        ax.set(xlabel="epoch", ylabel=metric)
        ax.grid(alpha=0.3)
axes[0].legend(title="validation; dotted: training")

# %%
# The best epoch of each. Fewer convolutions leave larger maps to the dense layer, and so more parameters: the
# shallowest network is the largest, and learns by heart the soonest.

best = pd.DataFrame(best).T
best.astype({"parameters": int, "best epoch": int}).round(3)

# %%
# The choice, and its test
# ------------------------
# The network of the lowest validation loss is trained on all images of both parts, for as many epochs,
# and only now evaluated on the test images.

name = best["validation loss"].idxmin()
final = CNNClassifier(
    architecture_params={"filters": depths[name]},
    batch_size=64,
    learning_rate=2e-3,
    epochs=int(best.loc[name, "best epoch"]),
    random_state=0,
)
final.fit(
    np.concatenate([X_train, X_val]), np.concatenate([y_train, y_val])
)
accuracy = final.score(X_test, y_test)
print(
    f"{name}, {final.epochs} epochs: {accuracy:.1%} of the test images"
)

# %%
# ``early_stopping=True`` does the first half of this by itself: it stops when the validation loss has
# not fallen for ``patience`` epochs, and goes back to the weights of the best one.
