"""BackboneFeatures: frozen features of any layers of a pretrained network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from fashionkit._backbones.check import check_backbone
from fashionkit._backbones.extractor import Extractor, borrow_extractor, images_per_batch, within
from fashionkit._backbones.networks import POOLINGS
from fashionkit._backbones.weights import load_weights
from fashionkit._images import Images
from fashionkit.features._base import ImageTransformer


class BackboneFeatures(ImageTransformer):
    """Frozen features from any layers of a pretrained network.

    Images are resized to ``image_size``, gray ones repeated in three channels, scaled as the
    network expects it, and passed up to the deepest requested layer. The output of each
    requested layer is pooled. For small gray images the layers in the middle are far better
    than the last one, which is made for photos of 224 pixels.

    Read more in the :ref:`User Guide <transfer>`.

    Parameters
    ----------
    backbone : str or callable, default="mobilenetv2"
        Network of ``keras.applications``, in small letters: "mobilenetv2" [1]_,
        "mobilenetv3small", "mobilenetv3large", "efficientnetv2b0", "resnet50v2",
        "densenet121", "inceptionv3" and so on; or a function ``(input_shape)`` that returns a
        ``keras.Model`` for RGB images in [0, 1].

    layers : str or list of str, default=None
        Layers to take features from, by name or by level: "low", "mid" and "high" are the last
        outputs before the resolution falls to an eighth, a 16th and a 32nd of the input's;
        "last" is the network's output. None takes the last layer alone.

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

    alpha : float, default=1.0
        Width multiplier of the network, where it has several: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4
        for "mobilenetv2".

    image_size : int or tuple of int, default=None
        Size that images are resized to, or ``(height, width)``; None keeps their size, or takes
        the smallest that the network accepts, whichever is larger.

    pooling : {"avg", "max", "grid", "flatten"}, default="avg"
        How to pool each channel of a layer: its mean, its maximum, the means of ``grid`` by
        ``grid`` fields, or all of its values.

    grid : int, default=4
        Number of fields per side for ``pooling="grid"``.

    power : float, default=None
        Power that the absolute value of each feature is raised to, its sign kept; 0.5, the
        square root, spreads small values and often helps classifiers [2]_. None leaves features
        as they are.

    mirror : bool, default=False
        Whether to average the features of each image and its mirror image, which takes twice
        as long. It helps where classes do not depend on left and right.

    dtype : {"float32", "float16"}, default="float32"
        Type of the features. Half precision halves their memory, and is exact to 3 digits.

    batch_size : int, default=None
        Number of images in a batch; None chooses one of about two million values.

    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None infers it:
        a square if there is one, gray before RGB; else one row of pixels.

    random_state : int, RandomState instance or None, default=None
        Draws the weights for ``weights=None``.

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
    fashionkit.TransferClassifier : A classifier on such a network, which it can fine-tune.
    fashionkit.make_baseline : These features with classical classifiers.
    HOGFeatures : Hand-made features.

    Notes
    -----
    Layers behind the deepest requested one are not computed. Besides the features, at most one
    batch is in memory, of resized images, too.

    The features are columns in the order of ``layers``, and of rows, columns and channels
    within a layer. The fitted transformer holds the weights that it needs, so that a pickle of
    it loads without the file that they came from.

    ``fit`` warns if Keras's weights for the image size are not on disk and cannot be downloaded,
    and those for 224 pixels, which are on disk, are used instead. It raises FileNotFoundError if
    neither are, and ValueError if the network or a layer is unknown, or the weights are those of
    another network.

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
        "backbone": [str, callable],
        "layers": [str, "array-like", None],
        "weights": "no_validation",  # _backbones validates them
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "image_size": [Interval(Integral, 1, None, closed="left"), tuple, list, None],
        "pooling": [StrOptions(set(POOLINGS))],
        "grid": [Interval(Integral, 1, None, closed="left")],
        "power": [Interval(Real, 0, None, closed="neither"), None],
        "mirror": ["boolean"],
        "dtype": [StrOptions({"float32", "float16"})],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "image_shape": [tuple, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        backbone: str | Callable = "mobilenetv2",
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
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.random_state = random_state

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the features.

        Parameters
        ----------
        input_features : ignored
            Present by convention.

        Returns
        -------
        names : ndarray of str
            Such as "mid_2_0_17": layer or level, row, column and channel of the pooled maps;
            "mid_17" where there is one field only.
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
        self._backbone, arrays = check_backbone(
            self.backbone,
            self.weights,
            self.image_shape_,
            layers=self.layers,
            alpha=self.alpha,
            image_size=self.image_size,
        )
        extractor = self._extractor()
        if arrays is None and self.weights is None:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            arrays = extractor.first_weights(seed)
        elif arrays is None:
            arrays = load_weights(self._backbone, self.weights)
        self._arrays = list(arrays)
        self.feature_shapes_ = dict(zip(extractor.names, extractor.shapes, strict=True))
        self._n_features_out = extractor.n_features

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

    def _extractor(self) -> Extractor:
        return borrow_extractor(self._backbone, self.image_shape_, self.pooling, self.grid)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_arrays")
