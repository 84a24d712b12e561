"""What a fitted neural classifier answers: classes, probabilities, scores and explanations."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from fashionkit._images import Images, check_images, check_targets
from fashionkit.neural._core.gradcam import encode_targets
from fashionkit.neural._core.inference import TrainedNetwork
from fashionkit.neural._core.samples import check_weights, encode_labels

# How far from 1 probabilities may sum: more than rounding does, less than what is no softmax.
_TOLERANCE = 1e-3


class Evaluation(NamedTuple):
    """Mean cross-entropy and accuracy on some images."""

    loss: float
    accuracy: float


class PredictionMixin:
    """The methods of a fitted neural classifier that ask its network."""

    classes_: np.ndarray
    test_time_augmentation: str | None
    _network: TrainedNetwork

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Class labels.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), dtype=float64
            Probabilities, in the order of ``classes_``. Each row sums to 1.
        """
        check_is_fitted(self)
        return self._probabilities(self._check_images(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Predict the log-probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), dtype=float64
            Log-probabilities, in the order of ``classes_``. A probability of 0 counts as the
            smallest float32.
        """
        return _log(self.predict_proba(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the log-probability of each class, or the log-odds of two classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes) or (n_samples,), dtype=float64
            The logarithm of the probability of each class, in the order of ``classes_``, after
            averaging over views. Of two classes, the log-odds of ``classes_[1]``, which is
            predicted where they are above 0.
        """
        scores = self.predict_log_proba(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def evaluate(self, X: Any, y: Any, sample_weight: Any = None) -> Evaluation:
        """Compute loss and accuracy on labelled images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : array-like of shape (n_samples,)
            True labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image.

        Returns
        -------
        evaluation : named tuple
            ``loss``, the mean cross-entropy in nats, and ``accuracy``, the fraction classified
            correctly.
        """
        check_is_fitted(self)
        images = self._check_images(X)
        targets = encode_labels(check_targets(y, images), self.classes_)
        weights = check_weights(sample_weight, images)
        probabilities = self._probabilities(images)
        losses = -_log(probabilities[np.arange(len(targets)), targets])
        correct = probabilities.argmax(axis=1) == targets
        return Evaluation(
            loss=float(np.average(losses, weights=weights)),
            accuracy=float(np.average(correct, weights=weights)),
        )

    def explain(self, X: Any, *, targets: Any = None, layer: str | None = None) -> np.ndarray:
        """Compute Grad-CAM heat maps of the image regions that support a class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        targets : array-like of shape (n_samples,), default=None
            Class to explain, for each image; None for the predicted class.

        layer : str, default=None
            Name of the layer to explain, whose output must be an image of more than one pixel; None
            for the last such layer. :meth:`summary` lists the names.

        Returns
        -------
        heat_maps : ndarray of shape (n_samples, height, width), dtype=float32
            Heat maps, scaled to a maximum of 1 for each image. A map is 0 everywhere if no region
            supports the class.

        Raises
        ------
        ValueError
            If ``targets`` has unknown labels, or the network has no such layer.

        See Also
        --------
        fashionkit.plotting.plot_explanations : Draw the maps over the images.

        Notes
        -----
        The channels of the layer are summed, each weighted by the mean gradient of the class's
        score before the softmax; negative values become 0 [1]_. A map has the resolution of the
        layer, enlarged to the size of the image. For a network that pads its images, the map covers
        the padding, too.

        References
        ----------
        .. [1] R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh and D. Batra,
           "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
           Localization", ICCV 2017.

        Examples
        --------
        >>> from fashionkit import CNNClassifier, make_garments
        >>> X, y = make_garments(100, random_state=0)
        >>> clf = CNNClassifier(epochs=1, random_state=0).fit(X, y)
        >>> clf.explain(X[:3]).shape
        (3, 28, 28)
        """
        check_is_fitted(self)
        images = self._check_images(X)
        if targets is None:
            indices = self._probabilities(images).argmax(axis=1)
        else:
            indices = encode_targets(targets, images, self.classes_)
        # Where the network has outputs beside those of the classes, the classes come last.
        indices = indices + (self._network.spec.n_outputs - len(self.classes_))
        return self._network.explain(images, indices, layer)

    def summary(self) -> str:
        """Describe the network layer by layer.

        Returns
        -------
        summary : str
            Keras's table of layers, output shapes and numbers of parameters.
        """
        lines: list[str] = []
        self.model_.summary(print_fn=lambda line, **_: lines.append(line))
        return "\n".join(lines)

    @property
    def model_(self) -> Any:
        """Trained network as an independent ``keras.Model``, for pixels in [0, 1]."""
        if not hasattr(self, "_network"):
            raise AttributeError(f"This {type(self).__name__} has no model_ before it is fitted.")
        return self._network.keras_model()

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        """Leave ``model_`` out of scikit-learn's table of attributes: it would start TensorFlow."""
        shown = copy.copy(self)
        shown.__dict__.pop("_network", None)
        attributes = super(PredictionMixin, shown)._get_fitted_attr_html(doc_link)  # type: ignore[misc]
        attributes.pop("model_", None)
        return attributes

    def _check_images(self, X: Any) -> Images:
        """Validate images against those seen in ``fit``."""
        return check_images(self, X, n_values=self._values_per_image())

    def _values_per_image(self) -> int | None:
        """Return the values that an image becomes inside of a fitted network that enlarges it."""
        return None

    def _probabilities(self, images: Images) -> np.ndarray:
        """Return the probabilities of the classes, of shape (n_samples, n_classes)."""
        outputs = self._network.predict_proba(images, self.test_time_augmentation)
        # Where the network has outputs beside those of the classes, the classes come last.
        probabilities = outputs[:, -len(self.classes_) :].astype(np.float64)
        sums = probabilities.sum(axis=1, keepdims=True)
        if not np.all(np.abs(sums - 1) < _TOLERANCE) or probabilities.min() < 0:  # or NaN
            row = int(np.argmax(np.abs(sums - 1)))
            raise ValueError(
                f"The network of {type(self).__name__} gives outputs that are not probabilities "
                f"for image {row} of X: from {probabilities[row].min():g} to "
                f"{probabilities[row].max():g}, with a sum of {sums[row, 0]:g}; end the "
                'architecture with Dense(n_classes, activation="softmax").'
            )
        return probabilities / sums


def _log(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
