"""Grad-CAM: heat maps of networks whose answer is known, and of fitted classifiers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage.transform import resize
from sklearn.exceptions import NotFittedError

from fashionkit import CNNClassifier
from fashionkit._images import Images
from fashionkit._tensorflow import keras, tensorflow
from fashionkit.neural import architectures
from fashionkit.neural._core import gradcam
from fashionkit.neural._core.gradcam import grad_cam

SIDE = 8
CORNERS = {
    "top left": (slice(None, 4), slice(None, 4)),
    "top right": (slice(None, 4), slice(4, None)),
    "bottom left": (slice(4, None), slice(None, 4)),
    "bottom right": (slice(4, None), slice(4, None)),
}


def as_images(pixels):
    return Images(np.asarray(pixels, dtype=np.float32), (0.0, 1.0))


def random_images(n, shape=(28, 28, 1), seed=0):
    return as_images(np.random.RandomState(seed).uniform(size=(n, *shape)))


def class_of(index, n):
    return np.full(n, index, dtype=np.int32)


def corner_network(corner, channels=1, color=0):
    """Return a network that sees one colour of one corner, which speaks for class 1."""
    layers = keras().layers
    rows, columns = CORNERS[corner]
    outside = [
        (0, 4) if rows.start is None else (4, 0),
        (0, 4) if columns.start is None else (4, 0),
    ]
    inputs = layers.Input((SIDE, SIDE, channels))
    x = layers.Cropping2D(outside)(inputs)
    x = layers.ZeroPadding2D(outside, name="corner")(x)
    x = layers.Conv2D(1, 1, use_bias=False, name="conv")(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(2, activation="softmax", use_bias=False, name="probabilities")(x)
    model = keras().Model(inputs, outputs)
    one_color = np.zeros((1, 1, channels, 1))
    one_color[:, :, color] = 1.0
    model.get_layer("conv").set_weights([one_color])
    model.get_layer("probabilities").set_weights([np.array([[-1.0, 1.0]])])
    return model


def reference(model, pixels, targets, layer, *, n_head=1):
    """Compute Grad-CAM one image at a time, layer after layer, as the paper says."""
    tf = tensorflow()
    names = [each.name for each in model.layers]
    heat_maps = []
    for image, target in zip(pixels, targets, strict=True):
        x = tf.constant(image[np.newaxis])
        for each in model.layers[1 : names.index(layer) + 1]:
            x = each(x, training=False)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for each in model.layers[names.index(layer) + 1 : -n_head]:
                y = each(y, training=False)
            if n_head == 1:
                kernel, bias = model.layers[-1].get_weights()
                y = y @ kernel + bias
            score = y[0, target]
        activations, gradients = x[0].numpy(), tape.gradient(score, x)[0].numpy()
        weights = gradients.mean(axis=(0, 1))
        heat = np.maximum((activations * weights).sum(axis=-1), 0)
        heat = resize(heat, image.shape[:2], order=1, mode="edge", anti_aliasing=False)
        heat_maps.append(heat / heat.max() if heat.max() > 0 else heat)
    return np.array(heat_maps)


@pytest.fixture(scope="module")
def network():
    keras().utils.set_random_seed(0)
    return architectures.basic((28, 28, 1), 10, filters=(4, 6, 8), dense_units=16)


@pytest.fixture(scope="module")
def fitted(garments):
    X, y = garments
    params = {"filters": (8, 8), "dense_units": (16,)}
    clf = CNNClassifier(architecture_params=params, epochs=3, random_state=0)
    return clf.fit(X, np.array([f"class {label}" for label in y]))


@pytest.mark.parametrize("corner", CORNERS)
def test_only_the_corner_that_decides_is_hot(corner):
    images = random_images(5, (SIDE, SIDE, 1))
    heat_maps = grad_cam(corner_network(corner), images, class_of(1, 5))
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[CORNERS[corner]] = True
    assert_array_equal(heat_maps[:, ~inside], 0)
    expected = images.pixels[..., 0] * inside
    assert_allclose(heat_maps, expected / expected.max(axis=(1, 2), keepdims=True), rtol=1e-5)


def test_what_speaks_against_a_class_is_cold():
    images = random_images(3, (SIDE, SIDE, 1))
    heat_maps = grad_cam(corner_network("top left"), images, class_of(0, 3))
    assert_array_equal(heat_maps, np.zeros((3, SIDE, SIDE)))


def test_each_image_has_its_own_target():
    images = random_images(2, (SIDE, SIDE, 1))
    heat_maps = grad_cam(corner_network("top left"), images, np.array([0, 1], np.int32))
    assert heat_maps[0].max() == 0
    assert heat_maps[1].max() == 1


@pytest.mark.parametrize("color", [0, 1, 2])
def test_color_images_are_explained_by_the_color_that_decides(color):
    pixels = np.full((1, SIDE, SIDE, 3), 0.1)
    for channel in range(3):
        pixels[0, channel, channel, channel] = 1.0
    model = corner_network("top left", channels=3, color=color)
    (heat,) = grad_cam(model, as_images(pixels), class_of(1, 1))
    assert np.unravel_index(heat.argmax(), heat.shape) == (color, color)
    assert heat.shape == (SIDE, SIDE)


@pytest.mark.parametrize("layer", ["conv_1", "pool_1", "conv_2", "conv_3"])
def test_it_equals_a_slow_reference(network, layer):
    images, targets = random_images(4), np.array([0, 3, 9, 3], np.int32)
    heat_maps = grad_cam(network, images, targets, layer=layer)
    expected = reference(network, images.pixels, targets, layer)
    assert expected.max() == 1
    assert_allclose(heat_maps, expected, atol=2e-5)


def test_maps_are_float32_of_the_images_size_and_from_0_to_1(network):
    heat_maps = grad_cam(network, random_images(20), class_of(2, 20))
    assert heat_maps.shape == (20, 28, 28)
    assert heat_maps.dtype == np.float32
    assert heat_maps.min() >= 0
    assert set(heat_maps.max(axis=(1, 2))) <= {0.0, 1.0}


def test_the_scale_of_the_scores_does_not_matter(network):
    images, targets = random_images(10), np.arange(10, dtype=np.int32)
    before = grad_cam(network, images, targets)
    assert before.max() == 1
    weights = network.layers[-1].get_weights()
    network.layers[-1].set_weights([1e-4 * array for array in weights])
    try:
        assert_allclose(grad_cam(network, images, targets), before, atol=1e-5)
    finally:
        network.layers[-1].set_weights(weights)


def test_a_network_that_is_sure_is_explained_too():
    # The gradient of its probability of 1 is 0; that of its score is not.
    model = corner_network("top left")
    model.get_layer("probabilities").set_weights([np.array([[-1e4, 1e4]])])
    images = random_images(2, (SIDE, SIDE, 1))
    assert_array_equal(model(images.pixels)[:, 1], 1)
    assert_array_equal(grad_cam(model, images, class_of(1, 2)).max(axis=(1, 2)), 1)


def test_no_gradient_gives_zeros_and_no_warning():
    model = corner_network("top left")
    model.get_layer("probabilities").set_weights([np.zeros((1, 2))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        heat_maps = grad_cam(model, random_images(2, (SIDE, SIDE, 1)), class_of(1, 2))
    assert_array_equal(heat_maps, np.zeros((2, SIDE, SIDE)))


def test_the_size_of_steps_changes_nothing(network, monkeypatch):
    images, targets = random_images(10), np.arange(10, dtype=np.int32)
    at_once = grad_cam(network, images, targets)
    assert at_once.max() == 1
    monkeypatch.setattr(gradcam, "_IMAGES_PER_STEP", 3)
    assert_allclose(grad_cam(network, images, targets), at_once, atol=1e-5)


def test_it_leaves_the_network_as_it_is(network):
    before = [array.copy() for array in network.get_weights()]
    layers = list(network.layers)
    grad_cam(network, random_images(2), class_of(0, 2))
    assert list(network.layers) == layers
    for array, other in zip(network.get_weights(), before, strict=True):
        assert_array_equal(array, other)


def test_the_default_is_the_last_layer_of_more_than_one_pixel(network):
    images, targets = random_images(10), np.arange(10, dtype=np.int32)
    default = grad_cam(network, images, targets)
    assert default.max() == 1
    assert_array_equal(default, grad_cam(network, images, targets, layer="conv_3"))

    layers = keras().layers
    x = layers.Conv2D(4, 3, name="wide")(network.inputs[0])
    x = layers.GlobalMaxPooling2D(keepdims=True, name="one_pixel")(x)
    x = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
    ends_small = keras().Model(network.inputs[0], x)
    default = grad_cam(ends_small, images, targets)
    assert_array_equal(default, grad_cam(ends_small, images, targets, layer="wide"))


@pytest.mark.parametrize("layer", ["nothing", "flatten", "dense_1", "probabilities", "images"])
def test_a_layer_that_gives_no_image_is_refused(network, layer):
    usable = "['conv_1', 'pool_1', 'conv_2', 'pool_2', 'conv_3']"
    with pytest.raises(ValueError, match=f"layer='{layer}' is not a layer") as raised:
        grad_cam(network, random_images(1), class_of(0, 1), layer=layer)
    assert usable in str(raised.value)


def test_a_network_without_images_inside_is_refused():
    layers = keras().layers
    inputs = layers.Input((28, 28, 1))
    outputs = layers.Dense(2, activation="softmax")(layers.Flatten()(inputs))
    with pytest.raises(ValueError, match="no layer whose output is an image"):
        grad_cam(keras().Model(inputs, outputs), random_images(1), class_of(0, 1))


def test_a_sequential_network_gives_the_same_as_a_functional_one(network):
    copies = [type(each).from_config(each.get_config()) for each in network.layers[1:]]
    sequential = keras().Sequential([keras().layers.Input((28, 28, 1)), *copies])
    sequential.set_weights(network.get_weights())
    images, targets = random_images(10), np.arange(10, dtype=np.int32)
    expected = grad_cam(network, images, targets)
    assert expected.max() == 1
    assert_allclose(grad_cam(sequential, images, targets), expected, atol=1e-5)


@pytest.mark.parametrize("end", ["softmax layer", "activation", "something else"])
def test_other_ends_than_a_dense_softmax_give_the_same(network, end):
    layers = keras().layers
    kernel, bias = network.layers[-1].get_weights()
    centred = [kernel - kernel.mean(axis=1, keepdims=True), bias - bias.mean()]
    x = network.layers[-2].output
    scores = layers.Dense(10, name="scores")
    if end == "softmax layer":
        outputs = layers.Softmax()(scores(x))
    elif end == "activation":
        outputs = layers.Activation("softmax")(scores(x))
    else:
        outputs = layers.Rescaling(1.0)(layers.Softmax()(scores(x)))
    other = keras().Model(network.inputs[0], outputs)
    scores.set_weights(centred)
    images, targets = random_images(10), np.arange(10, dtype=np.int32)
    heat_maps = grad_cam(other, images, targets)
    network.layers[-1].set_weights(centred)
    try:
        expected = grad_cam(network, images, targets)
    finally:
        network.layers[-1].set_weights([kernel, bias])
    assert expected.max() == 1
    assert_allclose(heat_maps, expected, atol=1e-4)


def test_branches_and_a_network_inside_a_network_are_followed():
    layers = keras().layers
    inner_inputs = layers.Input((SIDE, SIDE, 1))
    inner = keras().Model(inner_inputs, layers.Conv2D(3, 3)(inner_inputs), name="inner")
    inputs = layers.Input((SIDE, SIDE, 1))
    shared = layers.Conv2D(3, 1, name="shared")
    x = inner(inputs)
    x = layers.Add(name="sum")([shared(x), shared(shared(x))])
    outputs = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    model = keras().Model(inputs, outputs)
    images, targets = random_images(2, (SIDE, SIDE, 1)), class_of(1, 2)
    default = grad_cam(model, images, targets)
    assert_array_equal(default, grad_cam(model, images, targets, layer="sum"))
    for name in ("inner", "shared"):
        assert grad_cam(model, images, targets, layer=name).shape == (2, SIDE, SIDE)


def test_heads_side_by_side_are_explained_each_by_itself(network):
    layers = keras().layers
    x = network.layers[-2].output
    heads = [layers.Dense(n, activation="softmax", name=f"head_{n}") for n in (3, 10)]
    joint = keras().Model(network.inputs[0], layers.Concatenate()([head(x) for head in heads]))
    images, targets = random_images(10), np.arange(10, dtype=np.int32)
    alone = keras().Model(network.inputs[0], heads[1].output)
    expected = grad_cam(alone, images, targets)
    assert expected.max() == 1
    assert_allclose(grad_cam(joint, images, targets + 3), expected, atol=1e-5)


def test_the_default_layer_is_one_of_the_last_head():
    layers = keras().layers
    inputs = layers.Input((SIDE, SIDE, 1))
    trunk = layers.Conv2D(2, 3, name="trunk")(inputs)
    outputs = []
    for name in ("coarse", "fine"):
        x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, name=name)(trunk))
        outputs.append(layers.Dense(2, activation="softmax")(x))
    model = keras().Model(inputs, layers.Concatenate()(outputs))
    images = random_images(8, (SIDE, SIDE, 1))
    targets = np.tile(np.array([2, 3], np.int32), 4)
    default = grad_cam(model, images, targets)
    assert default.max() == 1
    assert_array_equal(default, grad_cam(model, images, targets, layer="fine"))


def test_one_probability_and_its_opposite_are_one_distribution():
    layers = keras().layers
    inputs = layers.Input((SIDE, SIDE, 1))
    x = layers.Conv2D(1, 1, name="conv", kernel_initializer="ones")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    p = layers.Dense(1, activation="sigmoid", kernel_initializer="ones")(x)
    opposite = layers.Rescaling(-1.0, offset=1.0)(p)
    model = keras().Model(inputs, layers.Concatenate()([opposite, p]))
    images = random_images(2, (SIDE, SIDE, 1))
    expected = images.pixels[..., 0] / images.pixels.max(axis=(1, 2, 3))[:, None, None]
    assert_allclose(grad_cam(model, images, class_of(1, 2)), expected, atol=1e-5)


def test_explain_takes_the_predicted_class_where_none_is_named(fitted, garments):
    X = garments[0][:6]
    heat_maps = fitted.explain(X)
    assert heat_maps.shape == (6, 28, 28)
    assert heat_maps.dtype == np.float32
    assert_array_equal(heat_maps, fitted.explain(X, targets=fitted.predict(X)))
    other = np.where(fitted.predict(X) == "class 1", "class 2", "class 1")
    assert np.abs(heat_maps - fitted.explain(X, targets=other)).max() > 0.01


def test_explain_calls_grad_cam_on_the_fitted_network(fitted, garments):
    X, y = garments[0][:4], garments[1][:4]
    expected = grad_cam(
        fitted.model_, Images(X[..., None], (0.0, 255.0)), y.astype(np.int32), layer="conv_1"
    )
    targets = [f"class {label}" for label in y]
    assert_array_equal(fitted.explain(X, targets=targets, layer="conv_1"), expected)


def test_explain_takes_every_form_of_images_alike(fitted, garments):
    X = garments[0][:3]
    expected = fitted.explain(X)
    for form in (X.reshape(3, -1), X[..., None], list(X)):
        assert_array_equal(fitted.explain(form), expected)


def test_explain_names_targets_that_are_no_classes(fitted, garments):
    with pytest.raises(ValueError, match="targets has the labels 'class 77', which are not among"):
        fitted.explain(garments[0][:2], targets=["class 1", "class 77"])
    with pytest.raises(ValueError, match="targets has the labels 1, which are not among"):
        fitted.explain(garments[0][:2], targets=[1, 1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fitted.explain(garments[0][:2], targets=["class 1"])


def test_explain_needs_a_fit(garments):
    with pytest.raises(NotFittedError):
        CNNClassifier().explain(garments[0][:2])
