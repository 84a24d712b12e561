"""Fast prediction: one compiled function per kind of network, which takes the weights it uses.

``keras.Model.predict`` builds an input pipeline for each call, which costs tens of milliseconds.
Here a call is one function call; and because weights are arguments, all fitted estimators of one
architecture share one function, in any number of threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import numpy as np

from fashionkit._backbones.seeded import Arrays, compile_stateless
from fashionkit._images import Images
from fashionkit._tensorflow import keras, tensorflow
from fashionkit.neural._core.engine import OptimizerState
from fashionkit.neural._core.network import Network, NetworkSpec

# Compiled functions kept; each holds a network without the weights of any estimator.
MAX_FUNCTIONS = 8

# Views of an image whose probabilities are averaged, by the parameter's values.
VIEWS = ("flip", "shift", "flip+shift")

_functions: OrderedDict[Hashable, Callable] = OrderedDict()
_functions_lock = threading.Lock()


class TrainedNetwork:
    """What a fitted estimator keeps of its network: plain arrays, and how to use them.

    Parameters
    ----------
    spec : NetworkSpec
        What the network was built from. It predicts in float32, whatever it was trained in: its
        answers do not depend on what the machine can do.

    trainable, non_trainable : list of ndarray
        Its variables.

    optimizer_state : OptimizerState
        Variables of its optimizer, to go on training.

    latest : list of ndarray, default=None
        The trainable variables to go on with, where ``trainable`` are their averages.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        trainable: Arrays,
        non_trainable: Arrays,
        optimizer_state: OptimizerState,
        latest: Arrays | None = None,
    ):
        self.spec = replace(spec, dtype="float32")
        self.trainable = trainable
        self.non_trainable = non_trainable
        self.optimizer_state = optimizer_state
        self.latest = latest
        self._forget()

    def predict_proba(self, images: Images, views: str | None = None) -> np.ndarray:
        """Return float32 probabilities of shape (n_samples, n_outputs), a mean over views."""
        call = self._calls.get(views) or self._prepare(views)
        return np.concatenate([call(chunk) for chunk in images.chunks()])

    def with_spec(self, spec: NetworkSpec, non_trainable: Arrays) -> TrainedNetwork:
        """Return the network of another spec that has the same trained variables."""
        return TrainedNetwork(
            spec, self.trainable, non_trainable, self.optimizer_state, self.latest
        )

    def by_layer(self) -> dict[str, Arrays]:
        """Arrange the weights by the names of layers."""
        return Network(self.spec).by_layer(self.trainable, self.non_trainable)

    def keras_model(self) -> Any:
        """Return a Keras model with these weights, built at the first call."""
        if self._model is None:
            network = Network(self.spec)
            network.set_weights(self.trainable, self.non_trainable)
            self._model = network.model
        return self._model

    def _prepare(self, views: str | None) -> Callable[[np.ndarray], np.ndarray]:
        """Bind the compiled function to these weights, as tensors."""
        if views not in (None, *VIEWS):
            raise ValueError(f"test_time_augmentation={views!r}, expected None or one of {VIEWS}.")
        tf = tensorflow()
        function = _inference_function(self.spec, views)
        trainable = [tf.constant(array) for array in self.trainable]
        non_trainable = [tf.constant(array) for array in self.non_trainable]
        constant = tf.constant

        def call(chunk: np.ndarray) -> np.ndarray:
            return function(trainable, non_trainable, constant(chunk)).numpy()

        self._calls = {**self._calls, views: call}
        return call

    def _forget(self) -> None:
        self._calls = {}
        self._model = None

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value for name, value in self.__dict__.items() if name not in ("_calls", "_model")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()


def _inference_function(spec: NetworkSpec, views: str | None) -> Callable:
    """Return the compiled ``(trainable, non_trainable, images) -> probabilities`` of a spec."""
    key = spec.key, views
    with _functions_lock:
        function = _functions.get(key)
        if function is None:
            function = _functions[key] = _compile(Network(spec).model, views)
        _functions.move_to_end(key)
        while len(_functions) > MAX_FUNCTIONS:
            _functions.popitem(last=False)
    return function


def _compile(model: Any, views: str | None) -> Callable:
    def mean(call, images):
        seen = [call(view) for view in _views(images, views)]
        return sum(seen[1:], seen[0]) / len(seen) if views else seen[0]

    return compile_stateless(model, mean)


def _views(images: Any, views: str | None) -> list[Any]:
    """Return the images as they are, and mirrored, or shifted by a pixel along both diagonals."""
    ops = keras().ops
    seen = [images]
    if views and "shift" in views:
        padded = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        seen += [padded[:, :-2, :-2], padded[:, 2:, 2:]]
    if views and "flip" in views:
        seen += [view[:, :, ::-1] for view in seen]
    return seen
