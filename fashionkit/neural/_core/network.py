"""Networks: how they are built, checked, and given the first weights that a seed decides."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fashionkit._backbones.networks import name_of
from fashionkit._backbones.pool import Keyed, freeze
from fashionkit._backbones.seeded import (
    Arrays,
    SeededModel,
    assign_values,
    copy_values,
    fit_together,
    keras_settings,
)
from fashionkit._keras_compat import (
    all_layers,
    initializer_of,
    made_variables_outside,
    maker_of,
)
from fashionkit._tensorflow import keras
from fashionkit.neural import architectures


@dataclass(frozen=True)
class NetworkSpec:
    """What a network is built from; two equal specs build equal networks.

    Its outputs are ``n_heads`` rows of probabilities side by side, of ``n_outputs`` numbers in all.
    """

    architecture: str | Callable
    image_shape: tuple[int, int, int]
    n_outputs: int
    params: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    n_heads: int = 1

    @property
    def key(self) -> Hashable:
        """Hashable form, to look networks up by."""
        return (
            freeze(self.architecture),
            self.image_shape,
            self.n_outputs,
            freeze(self.params),
            self.dtype,
            self.n_heads,
        )


@dataclass(frozen=True, eq=False)
class NetworkSource(Keyed):
    """A network without its weights, as a function that builds it for its own input shape."""

    spec: NetworkSpec

    @property
    def key(self) -> Hashable:
        """That of the spec."""
        return self.spec.key

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its images."""
        return self.spec.image_shape[:2]

    @property
    def channels(self) -> int:
        """Channels of its images."""
        return self.spec.image_shape[2]

    @property
    def __name__(self) -> str:
        architecture = self.spec.architecture
        return architecture if isinstance(architecture, str) else name_of(architecture)

    def __call__(self, input_shape: tuple[int, int, int]) -> Any:
        """Build the network; its shape is its own."""
        model = _call_builder(architectures.get(self.spec.architecture), self.spec)
        for layer in all_layers(model):
            layer.trainable = True  # whatever was frozen when it was trained
        return model

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, NetworkSource) and self.spec.key == other.spec.key

    def __hash__(self) -> int:
        return hash(self.spec.key)


class Network(SeededModel):
    """A checked Keras model, its weights, and how to draw its first ones from any seed.

    Parameters
    ----------
    spec : NetworkSpec
        What to build.

    shapes : list of tuple of int, default=None
        What the shapes of its trainable and of its other variables must be.

    Raises
    ------
    ValueError
        If its variables have other shapes. They have not been given memory by then.
    """

    def __init__(self, spec: NetworkSpec, shapes: list[tuple[int, ...]] | None = None):
        build = architectures.get(spec.architecture)

        def checked() -> Any:
            model = _call_builder(build, spec)
            _check_network(model, spec)
            if shapes is not None and shapes != _shapes_of(model):
                raise ValueError("its weights have other shapes than its architecture")
            _keep_probabilities_exact(model)
            return model

        super().__init__(checked, spec.dtype)
        # In the order of now, whatever a callback later does to the model.
        self._trainable = list(self.model.trainable_variables)
        self._non_trainable = list(self.model.non_trainable_variables)
        with keras_settings(spec.dtype):
            _check_probabilities(self.model, spec)

    def get_weights(self) -> tuple[Arrays, Arrays]:
        """Copy the trainable and the other variables, in the model's order."""
        return copy_values(self._trainable), copy_values(self._non_trainable)

    def set_weights(self, trainable: Arrays, non_trainable: Arrays) -> None:
        """Set all variables, as :meth:`get_weights` returned them."""
        if not fit_together([*self._trainable, *self._non_trainable], [*trainable, *non_trainable]):
            raise _misfit()
        assign_values(self._trainable, trainable)
        assign_values(self._non_trainable, non_trainable)

    def set_layers(self, values: Mapping[str, Arrays]) -> None:
        """Set all variables of some layers, given by their names."""
        layers = {layer.name: layer for layer in self.model.layers}
        for name, arrays in values.items():
            if name not in layers or not fit_together(layers[name].variables, arrays):
                raise _misfit()
            assign_values(layers[name].variables, arrays)

    def by_layer(self, trainable: Arrays, non_trainable: Arrays) -> dict[str, Arrays]:
        """Arrange weights, as :meth:`get_weights` returns them, by the names of layers."""
        variables = [*self._trainable, *self._non_trainable]
        values = dict(zip(map(id, variables), [*trainable, *non_trainable], strict=True))
        return {
            layer.name: [values[id(variable)] for variable in layer.variables]
            for layer in self.model.layers
            if layer.variables
        }

    def is_as_built(self) -> bool:
        """Tell whether the same variables are trained as when the network was built."""
        now = self.model.trainable_variables
        return list(map(id, now)) == list(map(id, self._trainable))


def _shapes_of(model: Any) -> list[tuple[int, ...]]:
    variables = (*model.trainable_variables, *model.non_trainable_variables)
    return [tuple(variable.shape) for variable in variables]


def _misfit() -> ValueError:
    return ValueError(
        "The weights of the last fit do not fit the network that the parameters, such as "
        "architecture, architecture_params, layers or head_units, now name; set them back, or "
        "fit with warm_start=False."
    )


def _call_builder(build: Callable, spec: NetworkSpec) -> Any:
    try:
        return build(spec.image_shape, spec.n_outputs, **spec.params)
    except ValueError as error:
        if not made_variables_outside(error):
            raise
        raise ValueError(
            f"architecture={spec.architecture!r} creates variables beside its layers, as "
            "compiling a model or making an optimizer does; leave that to the classifier."
        ) from error


def _check_network(model: Any, spec: NetworkSpec) -> None:
    name = f"architecture={spec.architecture!r}"
    if not isinstance(model, keras().Model):
        raise TypeError(f"{name} returned {type(model).__name__}, expected a keras.Model.")
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"{name} returned a model without a known input; "
            "begin it with keras.Input(input_shape)."
        )
    foreign = [v.path for v in model.variables if initializer_of(v) is None]
    if foreign:
        raise ValueError(
            f"{name} returned a model with layers made outside of it, {foreign[:3]}; make all "
            "layers inside, so that each fit starts afresh."
        )
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    expected = [(None, *spec.image_shape), (None, spec.n_outputs)]
    if shapes != expected:
        raise ValueError(
            f"{name} returned a model with input and output shapes {shapes}, expected {expected}: "
            "one input of the images' shape, and the probability of each class as output."
        )


def _keep_probabilities_exact(model: Any) -> None:
    """Make the layer that puts out the probabilities compute in float32, as its loss needs."""
    layer = maker_of(model.outputs[0]).operation
    if getattr(layer, "compute_dtype", "float32") != "float32":
        layer.dtype_policy = "float32"


def _check_probabilities(model: Any, spec: NetworkSpec) -> None:
    # On an image without any pattern, independent outputs may happen to sum to 1.
    images = np.random.default_rng(0).random((3, *spec.image_shape), dtype=np.float32)
    outputs = np.asarray(model(images, training=False))
    if np.any(outputs < 0) or not np.allclose(outputs.sum(axis=1), spec.n_heads, atol=1e-3):
        raise ValueError(
            f"architecture={spec.architecture!r} returned a model whose outputs are not "
            'probabilities; end it with Dense(n_classes, activation="softmax").'
        )
