"""Fast prediction: one compiled function per kind of network, which takes the weights it uses.

``keras.Model.predict`` builds an input pipeline for each call, which costs tens of milliseconds.
Here a call is one function call; and because weights are arguments, all fitted estimators of one
architecture share one function, in any number of threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from fashionkit._images import Images
from fashionkit.neural._engine import Arrays, Network, NetworkSpec
from fashionkit.neural._tensorflow import tensorflow

# Compiled functions kept; each holds a network without the weights of any estimator.
MAX_FUNCTIONS = 8

_functions: OrderedDict[Hashable, Callable] = OrderedDict()
_functions_lock = threading.Lock()


class TrainedNetwork:
    """What a fitted estimator keeps of its network: plain arrays, and how to use them.

    Parameters
    ----------
    spec : NetworkSpec
        What the network was built from.

    trainable, non_trainable : list of ndarray
        Its variables.

    optimizer_state : list of ndarray
        Variables of its optimizer, to go on training.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        trainable: Arrays,
        non_trainable: Arrays,
        optimizer_state: Arrays,
    ):
        self.spec = spec
        self.trainable = trainable
        self.non_trainable = non_trainable
        self.optimizer_state = optimizer_state
        self._forget()

    def predict_proba(self, images: Images) -> np.ndarray:
        """Return float32 probabilities of shape (n_samples, n_classes)."""
        if self._call is None:
            self._prepare()
        call = self._call
        return np.concatenate([call(chunk) for chunk in images.chunks()])

    def keras_model(self) -> Any:
        """Return a Keras model with these weights, built at the first call."""
        if self._model is None:
            network = Network(self.spec)
            network.set_weights(self.trainable, self.non_trainable)
            self._model = network.model
        return self._model

    def _prepare(self) -> None:
        """Bind the compiled function to these weights, as tensors."""
        tf = tensorflow()
        function = _inference_function(self.spec)
        trainable = [tf.constant(array) for array in self.trainable]
        non_trainable = [tf.constant(array) for array in self.non_trainable]
        constant = tf.constant
        self._call = lambda chunk: function(trainable, non_trainable, constant(chunk)).numpy()

    def _forget(self) -> None:
        self._call = None
        self._model = None

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value for name, value in self.__dict__.items() if name not in ("_call", "_model")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()


def _inference_function(spec: NetworkSpec) -> Callable:
    """Return the compiled ``(trainable, non_trainable, images) -> probabilities`` of a spec."""
    with _functions_lock:
        function = _functions.get(spec.key)
        if function is None:
            function = _functions[spec.key] = _compile(Network(spec).model)
        _functions.move_to_end(spec.key)
        while len(_functions) > MAX_FUNCTIONS:
            _functions.popitem(last=False)
    return function


def _compile(model: Any) -> Callable:
    tf = tensorflow()

    @tf.function(autograph=False, jit_compile=False)
    def infer(trainable, non_trainable, images):
        return model.stateless_call(trainable, non_trainable, images, training=False)[0]

    def specs(variables):
        return [tf.TensorSpec(variable.shape, variable.dtype) for variable in variables]

    # Any number of images, one trace: nothing is compiled again for another batch size.
    return infer.get_concrete_function(
        specs(model.trainable_variables),
        specs(model.non_trainable_variables),
        tf.TensorSpec((None, *model.input_shape[1:]), tf.float32),
    )
