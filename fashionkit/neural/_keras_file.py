"""Load networks from files of Keras, as its own callbacks write them."""

from __future__ import annotations

import os
from typing import Any

from fashionkit._backbones.attach import inference_layer
from fashionkit._tensorflow import keras
from fashionkit.neural._core.losses import accuracy_of_last, cross_entropy_of_heads
from fashionkit.neural._core.optimizers import muon, scheduled_rate


def load_keras_model(path: str | os.PathLike[str], **params: Any) -> Any:
    """Load a ``.keras`` file written by ``ModelCheckpoint`` or ``model_.save``.

    It is ``keras.saving.load_model``, with the optimizers, schedules, losses and layers of
    fashionkit registered. In a process that has trained such a network, that function knows them,
    too.

    Parameters
    ----------
    path : str or path-like
        Path of the ``.keras`` file.

    **params : dict
        Further arguments of ``keras.saving.load_model``.

    Returns
    -------
    model : keras.Model
        Loaded network, for pixels in [0, 1].

    See Also
    --------
    fashionkit.load : Loads a fitted classifier with its labels and preprocessing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from fashionkit import CNNClassifier, make_garments
    >>> from fashionkit.neural import load_keras_model
    >>> X, y = make_garments(100, random_state=0)
    >>> clf = CNNClassifier(optimizer="muon", epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clf.model_.save(Path(folder) / "network.keras")
    ...     model = load_keras_model(Path(folder) / "network.keras")
    >>> model.output_shape
    (None, 10)
    """
    for register in (
        accuracy_of_last,
        cross_entropy_of_heads,
        inference_layer,
        muon,
        scheduled_rate,
    ):
        register()
    return keras().saving.load_model(os.path.expanduser(path), **params)
