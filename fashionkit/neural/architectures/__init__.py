"""Networks for small images: functions from an input shape to an untrained Keras model.

Each takes ``(input_shape, n_classes, **params)`` and returns a ``keras.Model`` that maps float32
images with pixels in [0, 1] to class probabilities. Any function like them can be passed to
:class:`~fashionkit.CNNClassifier` as ``architecture``. It should build the same network each time
it is called with the same arguments: built networks are reused.
"""

from __future__ import annotations

from collections.abc import Callable

from fashionkit.datasets._names import choices
from fashionkit.neural.architectures._alexnet import alexnet
from fashionkit.neural.architectures._basic import basic
from fashionkit.neural.architectures._fast import branched, fast
from fashionkit.neural.architectures._inception import inception
from fashionkit.neural.architectures._lenet5 import lenet5
from fashionkit.neural.architectures._resnet import resnet
from fashionkit.neural.architectures._wide_resnet import wide_resnet

# What CNNClassifier(architecture=...) knows, each by the name of its function.
_BUILDERS: tuple[Callable, ...] = (alexnet, basic, fast, inception, lenet5, resnet, wide_resnet)
_REGISTERED: dict[str, Callable] = {builder.__name__: builder for builder in _BUILDERS}

__all__ = ["branched", "get", "list_architectures"]
__all__ += [*_REGISTERED]


def list_architectures() -> list[str]:
    """List the names of the architectures of :class:`~fashionkit.CNNClassifier`.

    Returns
    -------
    names : list of str
        Names, sorted.

    See Also
    --------
    get : Returns the function that builds a named architecture.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.list_architectures()
    ['alexnet', ..., 'wide_resnet']
    """
    return sorted(_REGISTERED)


def get(architecture: str | Callable) -> Callable:
    """Return the function that builds a named architecture.

    Parameters
    ----------
    architecture : str or callable
        Name from :func:`list_architectures`, or a function like those of this module, which is
        returned unchanged.

    Returns
    -------
    builder : callable
        Function that builds the network.

    Raises
    ------
    ValueError
        If the name is unknown.

    See Also
    --------
    list_architectures : Lists the names.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.get("basic") is architectures.basic
    True
    """
    if callable(architecture):
        return architecture
    if architecture not in _REGISTERED:
        raise ValueError(
            f"architecture={architecture!r} is not known; pass one of "
            f"{choices(list_architectures())}, or a callable "
            "(input_shape, n_classes, **params) -> keras.Model."
        )
    return _REGISTERED[architecture]
