"""How the head of a transfer network is trained: on features that are computed once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tqdm.auto import tqdm

from fashionkit._backbones.extractor import Extractor, borrow_extractor, images_per_batch, within
from fashionkit._backbones.networks import Backbone
from fashionkit._backbones.seeded import Arrays
from fashionkit._images import Images
from fashionkit.neural._core.inference import TrainedNetwork
from fashionkit.neural._core.network import NetworkSpec
from fashionkit.neural._core.samples import Samples
from fashionkit.neural._core.training import Pair, Phase, Trained, train
from fashionkit.neural._transfer_network import head

# Features that would take more bytes than this are kept in half precision.
_LARGEST_EXACT = 2**30


def extractor_of(spec: NetworkSpec) -> Extractor:
    """Return the compiled backbone of a transfer network, up to its pooled features."""
    params = spec.params
    return borrow_extractor(params["backbone"], spec.image_shape, params["pooling"], params["grid"])


def head_spec(spec: NetworkSpec) -> NetworkSpec:
    """Return the head alone of a transfer network."""
    params = {name: spec.params[name] for name in ("head_units", "dropout")}
    n_features = extractor_of(spec).n_features
    return replace(spec, architecture=head, image_shape=(1, 1, n_features), params=params)


def enlarged(samples: Samples, validation: Samples | None, backbone: Backbone) -> Pair:
    """Tell how large images become inside of the network, which limits how many go at a time."""
    images = replace(samples.images, n_values=backbone.n_values)
    trained_on = replace(samples, images=images)
    if validation is None:
        return trained_on, None
    if validation.images is not samples.images:
        images = replace(validation.images, n_values=backbone.n_values)
    return trained_on, replace(validation, images=images)


def train_head(phase: Phase, samples: Samples, validation: Samples | None) -> Trained:
    """Train the head of a transfer network whose backbone is frozen.

    Parameters
    ----------
    phase : Phase
        The training of the whole network.

    samples : Samples
        What to train on.

    validation : Samples or None
        What to evaluate on after each epoch.

    Returns
    -------
    trained : Trained
        The whole network, and how its training went.
    """
    reason = None
    if phase.spec.params["channels"] == "conv":
        reason = "channels='conv' puts trained weights before it"
    elif phase.augmentation is not None:
        reason = "augmentation changes the images in every epoch"
    if reason is not None:
        if phase.verbose:
            tqdm.write(f"Every epoch goes through the whole backbone: {reason}.")
        return train(phase, samples, validation)
    extractor = extractor_of(phase.spec)
    arrays, trained, first_values = _without_backbone(phase, extractor.n_variables)
    head_phase = replace(
        phase,
        spec=head_spec(phase.spec),
        trained=trained,
        first_values=first_values,
        fixed=arrays,
        prepare=lambda *both: _compute_features(extractor, phase, arrays, *both),
    )
    result = train(head_phase, samples, validation)
    # The frozen network's variables come before those of the head.
    variables = [*arrays, *result.network.non_trainable]
    return result._replace(network=result.network.with_spec(phase.spec, variables))


def _without_backbone(
    phase: Phase, n_variables: int
) -> tuple[Arrays, TrainedNetwork | None, dict[str, Arrays] | None]:
    """Return the backbone's weights, and what the head starts from without them."""
    trained = phase.trained
    if trained is None:
        values = dict(phase.first_values or {})
        arrays = values.pop(phase.spec.params["backbone"].layer_name)
        return arrays, None, values
    arrays = trained.non_trainable[:n_variables]
    states = trained.non_trainable[n_variables:]
    return arrays, trained.with_spec(head_spec(phase.spec), states), None


def _compute_features(
    extractor: Extractor,
    phase: Phase,
    arrays: Arrays,
    samples: Samples,
    validation: Samples | None,
) -> Pair:
    """Put the features of the frozen backbone in the place of images."""
    call = extractor.bind(arrays)
    size = images_per_batch(phase.spec.params["backbone"])

    def features(images: Images) -> Images:
        n_features = extractor.n_features
        exact = 4 * len(images) * n_features <= _LARGEST_EXACT
        rows = np.empty((len(images), 1, 1, n_features), np.float32 if exact else np.float16)
        starts = range(0, len(images), size)
        bar = tqdm(starts, unit="batch", desc="features", disable=not phase.verbose)
        for start, chunk in zip(bar, images.chunks(size), strict=True):
            rows[start : start + size, 0, 0] = within(rows.dtype, call(chunk))
        return Images(rows, (0.0, 1.0))

    trained_on = replace(samples, images=features(samples.images))
    if validation is None:
        return trained_on, None
    shared = validation.images is samples.images
    held_out = trained_on.images if shared else features(validation.images)
    return trained_on, replace(validation, images=held_out)
