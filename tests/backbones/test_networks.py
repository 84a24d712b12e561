"""Tests of the stages of networks trained elsewhere."""

from __future__ import annotations

import pytest

from fashionkit._backbones.networks import Backbone, stages_behind
from fashionkit._tensorflow import keras


@pytest.fixture(scope="module")
def mobilenetv2():
    model, _ = Backbone("mobilenetv2", (64, 64), ("high",), alpha=0.35).build()
    return {layer.name: n for layer, n in zip(model.layers, stages_behind(model), strict=True)}


def test_stages_end_where_the_resolution_falls(mobilenetv2):
    last = {"block_12_add": 0, "block_6_depthwise": 0, "block_6_expand": 1, "block_3_expand": 2}
    first = {"block_1_expand": 3, "Conv1": 3}
    for name, expected in {**last, **first}.items():
        assert mobilenetv2[name] == expected, name


def test_what_lies_beside_the_way_counts_to_its_stage():
    layers = keras().layers
    inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="first")(inputs)
    beside = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    beside = layers.Conv2D(4, 1, name="excite")(beside)
    x = layers.Multiply(name="scale")([x, beside])
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="second")(x)
    model = keras().Model(inputs, x)
    behind = {layer.name: n for layer, n in zip(model.layers, stages_behind(model), strict=True)}
    assert [behind[name] for name in ("first", "squeeze", "excite", "scale")] == [1] * 4
    assert behind["second"] == 0


def test_layers_behind_the_last_image_belong_to_its_stage():
    layers = keras().layers
    inputs = layers.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="first")(inputs)
    y = layers.Conv2D(4, 3, strides=2, padding="same", name="second")(x)
    model = keras().Model(inputs, [y, x])
    behind = {layer.name: n for layer, n in zip(model.layers, stages_behind(model), strict=True)}
    assert behind["second"] == 0
    assert behind["first"] == 1
