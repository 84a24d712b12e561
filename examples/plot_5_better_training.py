"""
Training better networks
========================

The defaults of ``CNNClassifier`` are a basic network. This page shows what makes networks better:
distorted images, a recipe, and a tree of classes.
"""

# %%
from sklearn.model_selection import train_test_split

from fashionkit import (
    CLASS_NAMES,
    Augmentation,
    CNNClassifier,
    HierarchicalCNNClassifier,
    fetch_fashion_mnist,
    make_garments,
)
from fashionkit.plotting import TrainingHistoryDisplay, plot_samples

try:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
except OSError:
    X, y = make_garments(6_000, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(
    X[:6_000],
    y[:6_000],
    test_size=1_000,
    stratify=y[:6_000],
    random_state=0,
)

# %%
# Distorted images
# ----------------
# As a transformer an ``Augmentation`` shows what it does: here, the same ten images three times.

augmentation = Augmentation(
    rotation=10, horizontal_flip="random", translation=0.1, erasing=0.3
)
rows = [augmentation.fit_transform(X_train[:10]) for _ in range(3)]
_ = plot_samples([image for row in rows for image in row], n_columns=10)

# %%
# Given to a classifier, it distorts the training images anew in each epoch, and never those to be
# predicted. What is harder to learn takes longer: after a few epochs on a few thousand images it is
# still behind, but does not overfit. It pays in long trainings, such as those of the recipes.

plain = CNNClassifier(epochs=6, validation_fraction=0.2, random_state=0)
augmented = CNNClassifier(
    epochs=6,
    validation_fraction=0.2,
    augmentation=Augmentation(
        horizontal_flip="random", translation=0.04
    ),
    random_state=0,
)
display = TrainingHistoryDisplay.from_estimator(
    plain.fit(X_train, y_train), name="plain"
)
_ = TrainingHistoryDisplay.from_estimator(
    augmented.fit(X_train, y_train), name="augmented", ax=display.axes_
)

# %%
# A recipe
# --------
# A recipe is a set of parameters that work well together, and that can be seen and changed. This one
# is also ``make_model("cnn-quick")``.

recipe = CNNClassifier.from_recipe("quick", epochs=4, random_state=0)
recipe.fit(X_train, y_train)
{
    "basic": plain.score(X_test, y_test),
    "basic, augmented": augmented.score(X_test, y_test),
    "quick": recipe.score(X_test, y_test),
}

# %%
recipe

# %%
# From coarse to fine
# -------------------
# A hierarchical network is taught the difference between clothes and goods too.

tree = HierarchicalCNNClassifier(
    "fashion-mnist",
    architecture_params={"filters": (16, 32, 64)},
    optimizer="muon",
    learning_rate_schedule="one-cycle",
    batch_size=128,
    epochs=4,
    random_state=0,
)
tree.fit(X_train, y_train)
[tree.score_coarse(X_test, y_test, level) for level in range(3)]

# %%
# A coarse class is as probable as those below it together.

for level in range(2):
    print(tree.predict_coarse(X_test[:5], level))
print([CLASS_NAMES[label] for label in tree.predict(X_test[:5])])
