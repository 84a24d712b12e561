"""Fast prediction: one compiled function per kind of network, which takes the weights it uses.

``keras.Model.predict`` builds an input pipeline for each call, which costs tens of milliseconds.
Here a call is one function call; and because weights are arguments, all fitted estimators of one
architecture share one function, in any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fashionkit._backbones.pool import pool
from fashionkit._backbones.seeded import Arrays, CompiledModel
from fashionkit._files import ModelFileError
from fashionkit._images import LANES, Images
from fashionkit._tensorflow import keras, tensorflow
from fashionkit.datasets._names import choices
from fashionkit.neural._core.engine import OptimizerState
from fashionkit.neural._core.gradcam import Explainer
from fashionkit.neural._core.network import Network, NetworkSpec
from fashionkit.preprocessing._views import VIEWS, make_views


class TrainedNetwork:
    """What a fitted estimator keeps of its network: plain arrays, and how to use them.

    Parameters
    ----------
    spec : NetworkSpec
        What the network was built from. It predicts in float32, whatever it was trained in: its
        answers do not depend on what the machine can do.

    trainable, non_trainable : list of ndarray
        Its variables.

    optimizer_state : OptimizerState, default=None
        State needed to resume the training; None to start its optimizer afresh.
    """

    _calls: dict[Any, Callable]
    _model: Any
    _weights: list[Any] | None

    def __init__(
        self,
        spec: NetworkSpec,
        trainable: Arrays,
        non_trainable: Arrays,
        optimizer_state: OptimizerState | None = None,
    ):
        self.spec = replace(spec, dtype="float32")
        self.trainable = trainable
        self.non_trainable = non_trainable
        self.optimizer_state = optimizer_state
        self._forget()

    def predict_proba(self, images: Images, views: str | None = None) -> np.ndarray:
        """Return float32 probabilities of shape (n_samples, n_outputs), a mean over views."""
        call = self._calls.get(views) or self._prepare(views)
        if len(images) < LANES:  # the caller waits for them: more would take longer
            return call(images.scaled(slice(None)))
        size = images.chunk_size
        outputs = [call(_filled(chunk, size))[: len(chunk)] for chunk in images.chunks(size)]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def explain(self, images: Images, targets: np.ndarray, layer: str | None = None) -> np.ndarray:
        """Return heat maps of shape (n_samples, height, width) by Grad-CAM."""
        call = self._calls.get(("explain", layer))
        if call is None:
            explainer = pool.share(
                ("explain", self.spec.key, layer),
                lambda: Explainer(self._build().model, layer),
            )
            call = self._keep(("explain", layer), explainer.bind(self._tensors()))
        return call(images, targets)

    def with_spec(self, spec: NetworkSpec, non_trainable: Arrays) -> TrainedNetwork:
        """Return the network of another spec that has the same trained variables."""
        return TrainedNetwork(spec, self.trainable, non_trainable, self.optimizer_state)

    @property
    def n_parameters(self) -> int:
        """Number of weights, trained and fixed."""
        return sum(array.size for array in (*self.trainable, *self.non_trainable))

    def by_layer(self) -> dict[str, Arrays]:
        """Arrange the weights by the names of layers."""
        return self._build().by_layer(self.trainable, self.non_trainable)

    def keras_model(self) -> Any:
        """Return a Keras model with these weights, built at the first call."""
        if self._model is None:
            network = self._build()
            network.set_weights(self.trainable, self.non_trainable)
            self._model = network.model
        return self._model

    def _prepare(self, views: str | None) -> Callable[[np.ndarray], np.ndarray]:
        """Bind the compiled function to these weights, as tensors."""
        if views not in (None, *VIEWS):
            raise ValueError(
                f"test_time_augmentation={views!r}, expected None or one of {choices(VIEWS)}."
            )
        compiled = pool.share(
            ("predict", self.spec.key, views), lambda: _compile(self._build().model, views)
        )
        return self._keep(views, compiled.bind(self._tensors()))

    def _build(self) -> Network:
        """Build the network that these weights are of."""
        shapes = [one.shape for one in (*self.trainable, *self.non_trainable)]
        try:
            return Network(self.spec, shapes)
        except (TypeError, ValueError) as error:
            raise ModelFileError(
                f"The network of this model cannot be built: {error}. Its file was changed, or "
                "was written by another version of the code."
            ) from error

    def _tensors(self) -> list[Any]:
        """Return the weights as tensors, which all compiled functions share."""
        if self._weights is None:
            constant = tensorflow().constant
            self._weights = [constant(one) for one in (*self.trainable, *self.non_trainable)]
        return self._weights

    def _keep(self, name: Any, call: Callable) -> Callable:
        self._calls = {**self._calls, name: call}  # for any number of threads
        return call

    def _forget(self) -> None:
        self._calls = {}
        self._model = None
        self._weights = None

    def __getstate__(self) -> dict[str, Any]:
        compiled = ("_calls", "_model", "_weights")
        return {name: value for name, value in self.__dict__.items() if name not in compiled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()


def _filled(chunk: np.ndarray, chunk_size: int) -> np.ndarray:
    """Fill a chunk up with black images, to a multiple of what processors compute at a time.

    The last few of another number would be computed in another way, to other last bits: an image
    has the same probabilities wherever it stands among at least 16 others. Large images, of which
    fewer are computed at a time, are left alone: filling up would take too long.
    """
    if chunk_size < LANES or not len(chunk) % LANES:
        return chunk
    missing = LANES - len(chunk) % LANES
    return np.concatenate([chunk, np.zeros((missing, *chunk.shape[1:]), chunk.dtype)])


def _compile(model: Any, views: str | None) -> CompiledModel:
    def mean(images):
        pad = keras().ops.pad
        seen = [model(view, training=False) for view in make_views(images, views, pad)]
        return sum(seen[1:], seen[0]) / len(seen) if views else seen[0]

    return CompiledModel(model, mean)
