"""BackboneFeatures: frozen features of any layers of a pretrained network."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from fashionkit._backbones.check import check_backbone
from fashionkit._backbones.extractor import Extractor, borrow_extractor, images_per_batch, within
from fashionkit._backbones.networks import POOLINGS
from fashionkit._backbones.onnx import is_onnx, read_onnx
from fashionkit._backbones.onnx_extractor import OnnxBackbone, OnnxExtractor
from fashionkit._backbones.weights import load_weights
from fashionkit._images import Images
from fashionkit.features._base import ImageTransformer

# How tokens can be pooled, which only ONNX files give.
_FIRST = "first"


class BackboneFeatures(ImageTransformer):
    """Features from any layers of a frozen pretrained network.

    Images are resized to ``image_size``, gray ones repeated in three channels, scaled as the
    network expects, and passed up to the deepest requested layer. The output of each requested
    layer is pooled. For small gray images, the middle layers are far better than the last one,
    which was trained for photos of 224 pixels.

    Read more in the :ref:`User Guide <transfer>`.

    Parameters
    ----------
    backbone : str, path-like or callable, default="mobilenetv2"
        Network of ``keras.applications``, in small letters: "mobilenetv2" [1]_, "mobilenetv3small",
        "mobilenetv3large", "efficientnetv2b0", "resnet50v2", "densenet121", "inceptionv3" and so
        on; a function ``(input_shape)`` that returns a ``keras.Model`` for RGB images in [0, 1]; or
        the path of an ONNX file, ending with ".onnx", which onnxruntime runs, such as the image
        encoder of CLIP or DINOv2 (``pip install "fashionkit[onnx]"``).

    layers : str or list of str, default=None
        Layers to extract features from, by name or by level: "low", "mid" and "high" are the last
        outputs before the resolution falls to 1/8, 1/16 and 1/32 of the input's; "last" is the
        network's output. None uses the last layer alone. For an ONNX file, names of its outputs or
        of any of its tensors; None uses its first output.

    weights : "imagenet", path, fitted classifier or None, default="imagenet"
        Weights of the network.

        - "imagenet": those of Keras, which downloads them once, to the folder ``models`` of
          ``~/.keras`` or of the environment variable ``KERAS_HOME``;
        - the path of a file with weights, without the top;
        - a fitted :class:`~fashionkit.CNNClassifier`: features are taken from its network, and
          ``backbone``, ``alpha`` and ``image_size`` are ignored. To clone such a transformer,
          as a search does, wrap the classifier in a
          :class:`~sklearn.frozen.FrozenEstimator`;
        - None: random weights, drawn from ``random_state``.

        An ONNX file contains its weights.

    alpha : float, default=1.0
        Width multiplier of the network, if it has several widths: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4
        for "mobilenetv2".

    image_size : int or tuple of int, default=None
        Size that images are resized to, or ``(height, width)``. None keeps their size, but at least
        the minimum of the network; for an ONNX file, it is the input size of the network.

    pooling : {"avg", "max", "grid", "flatten", "first"}, default="avg"
        How to pool each channel of a layer: its mean, its maximum, the means of ``grid`` by
        ``grid`` fields, or all of its values. For a vision transformer in an ONNX file, whose
        outputs are tokens, "first" uses the first token, the class token.

    grid : int, default=4
        Number of fields per side for ``pooling="grid"``.

    power : float, default=None
        Exponent of a signed power transform of each feature; 0.5, the signed square root, often
        helps classifiers [2]_. None leaves features unchanged.

    mirror : bool, default=False
        Whether to average the features of each image and its mirror image, which takes twice as
        long. It helps if classes do not depend on left and right.

    dtype : {"float32", "float16"}, default="float32"
        Data type of the features. Half precision halves their memory, and is accurate to 3 digits.

    mean, std : float or sequence of float, default=None
        Normalisation that the network of an ONNX file was trained with: ``mean`` is subtracted from
        pixels in [0, 1], and the result is divided by ``std``. Each is a number, or one for each
        channel. None means 0 and 1. Networks of Keras include their own.

    interpolation : {"bilinear", "bicubic"}, default="bilinear"
        Interpolation to resize images for an ONNX file, with antialiasing when reducing them.

    batch_size : int, default=None
        Number of images per batch; None chooses batches of about two million values.

    image_shape : tuple of int, default=None
        Shape of the image in each flat row: ``(height, width)`` or ``(height, width, channels)``.
        None infers it: a square if possible, gray rather than RGB; otherwise a single row of
        pixels.

    random_state : int, RandomState instance or None, default=None
        Seed of the random weights for ``weights=None``.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame with string names.

    image_shape_ : tuple of int
        Height, width and channels.

    pixel_range_ : tuple of float
        Pixel values that become 0 and 1, before the scaling that the network expects.

    feature_shapes_ : dict of str to tuple of int
        Rows, columns and channels of the features of each layer.

    See Also
    --------
    fashionkit.TransferClassifier : Classifier on such a network, which it can fine-tune.
    fashionkit.make_baseline : Pipelines of these features and a classical classifier.
    HOGFeatures : Handcrafted features.

    Notes
    -----
    Layers after the deepest requested one are not computed. Besides the features, only one batch of
    images and its resized copy are in memory.

    Feature maps of an ONNX file are assumed to be square, to distinguish channels from rows and
    columns; if this is ambiguous, their axes are in the order of the input's. CLIP uses the
    ``mean`` (0.48145466, 0.4578275, 0.40821073) and the ``std`` (0.26862954, 0.26130258,
    0.27577711), according to its model card. DINOv2 uses those of ImageNet, (0.485, 0.456, 0.406)
    and (0.229, 0.224, 0.225). Both use the interpolation "bicubic".

    Features are ordered by layer, then by row, column and channel. The fitted transformer contains
    its weights, so that a pickle of it can be loaded without the file that they came from.

    ``fit`` warns if Keras's weights for the image size are unavailable, and those for 224 pixels
    are used instead. It raises FileNotFoundError if neither are available, and ValueError if the
    network or a layer is unknown, or the weights belong to another network.

    References
    ----------
    .. [1] M. Sandler, A. Howard, M. Zhu, A. Zhmoginov and L.-C. Chen, "MobileNetV2: Inverted
       Residuals and Linear Bottlenecks", CVPR 2018.

    .. [2] F. Perronnin, J. Sánchez and T. Mensink, "Improving the Fisher Kernel for
       Large-Scale Image Classification", ECCV 2010, section 3.

    Examples
    --------
    >>> from fashionkit import BackboneFeatures, make_garments
    >>> X, y = make_garments(20, random_state=0)
    >>> features = BackboneFeatures(layers=["low", "mid"], weights=None, random_state=0)
    >>> features.fit_transform(X).shape
    (20, 336)
    """

    _parameter_constraints: dict = {
        "backbone": [str, os.PathLike, callable],
        "layers": [str, "array-like", None],
        "weights": "no_validation",  # _backbones validates them
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "image_size": [Interval(Integral, 1, None, closed="left"), tuple, list, None],
        "pooling": [StrOptions({*POOLINGS, _FIRST})],
        "grid": [Interval(Integral, 1, None, closed="left")],
        "power": [Interval(Real, 0, None, closed="neither"), None],
        "mirror": ["boolean"],
        "dtype": [StrOptions({"float32", "float16"})],
        "mean": [Real, "array-like", None],
        "std": [Real, "array-like", None],
        "interpolation": [StrOptions({"bilinear", "bicubic"})],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "image_shape": [tuple, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        backbone: str | os.PathLike[str] | Callable = "mobilenetv2",
        *,
        layers: str | Sequence[str] | None = None,
        weights: Any = "imagenet",
        alpha: float = 1.0,
        image_size: int | tuple[int, int] | None = None,
        pooling: str = "avg",
        grid: int = 4,
        power: float | None = None,
        mirror: bool = False,
        dtype: str = "float32",
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        interpolation: str = "bilinear",
        batch_size: int | None = None,
        image_shape: tuple[int, ...] | None = None,
        random_state: Any = None,
    ):
        self.backbone = backbone
        self.layers = layers
        self.weights = weights
        self.alpha = alpha
        self.image_size = image_size
        self.pooling = pooling
        self.grid = grid
        self.power = power
        self.mirror = mirror
        self.dtype = dtype
        self.mean = mean
        self.std = std
        self.interpolation = interpolation
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.random_state = random_state

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features.

        Parameters
        ----------
        input_features : ignored
            Not used; present for API consistency.

        Returns
        -------
        names : ndarray of str
            Names such as "mid_2_0_17": layer or level, row, column and channel of the pooled maps;
            "mid_17" if there is only one field.
        """
        check_is_fitted(self)
        names = []
        for layer, (n_rows, n_columns, n_channels) in self.feature_shapes_.items():
            one = n_rows == n_columns == 1
            names += [
                f"{layer}_{channel}" if one else f"{layer}_{row}_{column}_{channel}"
                for row in range(n_rows)
                for column in range(n_columns)
                for channel in range(n_channels)
            ]
        return np.array(names, dtype=object)

    def _fit(self, images: Images) -> None:
        self._backbone, arrays = self._read_onnx() if is_onnx(self.backbone) else self._of_keras()
        self._arrays = list(arrays)
        extractor = self._extractor()
        self.feature_shapes_ = dict(zip(extractor.names, extractor.shapes, strict=True))
        self._n_features_out = extractor.n_features

    def _of_keras(self) -> tuple[Any, Sequence[np.ndarray]]:
        if self.pooling == _FIRST:
            raise ValueError(
                f"pooling='first' is for tokens of an ONNX file; pass one of {POOLINGS}."
            )
        self._refuse("networks of Keras scale images themselves", ("mean", "std", "interpolation"))
        backbone, arrays = check_backbone(
            self.backbone,
            self.weights,
            self.image_shape_,
            layers=self.layers,
            alpha=self.alpha,
            image_size=self.image_size,
        )
        # Before weights are downloaded: it knows whether the layers are there.
        extractor = borrow_extractor(backbone, self.image_shape_, self.pooling, self.grid)
        if arrays is None and self.weights is None:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            arrays = extractor.first_weights(seed)
        elif arrays is None:
            arrays = load_weights(backbone, self.weights)
        return backbone, arrays

    def _read_onnx(self) -> tuple[Any, Sequence[np.ndarray]]:
        self._refuse("an ONNX file has its weights inside", ("weights", "alpha"))
        return read_onnx(
            str(self.backbone),
            self.image_shape_,
            layers=self.layers,
            pooling=self.pooling,
            image_size=self.image_size,
            mean=self.mean,
            std=self.std,
            interpolation=self.interpolation,
        )

    def _refuse(self, reason: str, names: Sequence[str]) -> None:
        """Refuse parameters that this kind of backbone has no use for."""
        for name in names:
            value, default = getattr(self, name), signature(type(self)).parameters[name].default
            if value is not default and not (np.ndim(value) == 0 and value == default):
                raise ValueError(
                    f"{name}={value!r}, but {reason}: backbone={self.backbone!r}; pass "
                    f"{name}={default!r}."
                )

    def _transform(self, images: Images, features: np.ndarray) -> None:
        size = self.batch_size or images_per_batch(self._backbone)
        call = self._extractor().bind(self._arrays)
        for start, chunk in zip(range(0, len(images), size), images.chunks(size), strict=True):
            rows = self._raise(call(chunk))
            if self.mirror:
                rows = (rows + self._raise(call(chunk[:, :, ::-1]))) / 2
            features[start : start + size] = within(features.dtype, rows)

    def _raise(self, rows: np.ndarray) -> np.ndarray:
        """Raise features to the power."""
        if self.power is None:
            return rows
        sizes = np.abs(rows)
        sizes = np.sqrt(sizes) if self.power == 0.5 else np.power(sizes, np.float32(self.power))
        return np.copysign(sizes, rows)

    def _extractor(self) -> Extractor | OnnxExtractor:
        if isinstance(self._backbone, OnnxBackbone):
            return OnnxExtractor(self._backbone, self.pooling, self.grid)
        return borrow_extractor(self._backbone, self.image_shape_, self.pooling, self.grid)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_arrays")
