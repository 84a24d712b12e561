"""ChunkedTransformer: the same as all at once, with less in memory."""

from __future__ import annotations

import gc
import pickle

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fashionkit import BoundedPCA, ChunkedTransformer, HOGFeatures, ImageFolder, PixelFeatures


class Recorder(TransformerMixin, BaseEstimator):
    """Remembers how many images it was given at a time."""

    def fit(self, X, y=None):
        self.fitted_ = len(X), None if y is None else len(y)
        self.sizes_ = []
        return self

    def transform(self, X):
        self.sizes_.append(len(X))
        return np.asarray(X, float).reshape(len(X), -1)[:, :3]


@pytest.fixture
def steps():
    return make_pipeline(HOGFeatures(), BoundedPCA(10, random_state=0))


class TestChunks:
    def test_the_result_is_that_of_all_at_once(self, garments, steps):
        X, _ = garments
        in_chunks = ChunkedTransformer(steps, max_samples=None, chunk_size=70).fit_transform(X)
        np.testing.assert_allclose(in_chunks, steps.fit_transform(X), atol=1e-5)
        assert in_chunks.dtype == np.float32

    @pytest.mark.parametrize(
        ("chunk_size", "sizes"), [(100, [100, 100, 100]), (299, [299, 1]), (300, [300])]
    )
    def test_so_many_images_are_transformed_at_a_time(self, garments, chunk_size, sizes):
        X, _ = garments
        features = ChunkedTransformer(Recorder(), chunk_size=chunk_size).fit(X)
        assert features.transform(X).shape == (300, 3)
        assert features.transformer_.sizes_ == sizes

    def test_it_is_fitted_on_a_sample(self, garments):
        X, y = garments
        features = ChunkedTransformer(Recorder(), max_samples=50, random_state=0)
        assert features.fit(X, y).transformer_.fitted_ == (50, 50)
        assert features.fit(X).transformer_.fitted_ == (50, None)
        assert features.set_params(max_samples=None).fit(X, y).transformer_.fitted_ == (300, 300)

    def test_targets_belong_to_their_images(self, garments):
        X, y = garments
        flat = X.reshape(len(X), -1)
        with_target = np.hstack([flat, y[:, np.newaxis]])
        features = ChunkedTransformer(SelectKBest(k=1), max_samples=100, random_state=0)
        with np.errstate(all="ignore"), pytest.warns(UserWarning, match="constant"):
            selected = features.fit(with_target, y)
        assert selected.transformer_.get_support()[-1]

    def test_a_seed_decides_the_sample(self, garments, steps):
        X, _ = garments

        def transform(seed):
            features = ChunkedTransformer(steps, max_samples=40, random_state=seed)
            return features.fit_transform(X)

        np.testing.assert_array_equal(transform(0), transform(0))
        assert not np.allclose(transform(0), transform(1))


class TestForms:
    def test_all_forms_give_the_same(self, garments):
        X, _ = (part[:50] for part in garments)
        flat = X.reshape(len(X), -1)
        frame = pd.DataFrame(flat, columns=[f"pixel{i}" for i in range(784)])
        features = ChunkedTransformer(
            PixelFeatures(), max_samples=30, chunk_size=20, random_state=0
        )
        expected = features.fit_transform(X)
        for form in (flat, frame, list(X), X[..., np.newaxis]):
            np.testing.assert_array_equal(features.fit_transform(form), expected)
        assert features.fit(frame).feature_names_in_[0] == "pixel0"
        assert not hasattr(features.fit(X), "feature_names_in_")

    def test_files_are_read_a_chunk_at_a_time(self, tmp_path, garments):
        X, y = (part[:30] for part in garments)
        for i, (image, label) in enumerate(zip(X, y, strict=True)):
            (tmp_path / str(label)).mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / str(label) / f"{i}.png")
        folder = ImageFolder(tmp_path, image_size=28)
        features = ChunkedTransformer(PixelFeatures(), max_samples=20, chunk_size=8, random_state=0)
        expected = features.fit_transform(np.asarray(folder))
        np.testing.assert_array_equal(features.fit_transform(folder), expected)

    def test_names_come_from_the_transformer(self, garments, steps):
        X, _ = garments
        features = ChunkedTransformer(steps).fit(X)
        assert list(features.get_feature_names_out()[:2]) == ["boundedpca0", "boundedpca1"]
        assert not hasattr(ChunkedTransformer(Recorder()), "get_feature_names_out")


class TestMemoryMap:
    def test_the_result_is_in_a_file_that_goes_with_it(self, tmp_path, garments, steps):
        X, _ = garments
        features = ChunkedTransformer(steps, chunk_size=100, directory=tmp_path).fit(X)
        mapped = features.transform(X)
        assert isinstance(mapped, np.memmap)
        assert len(list(tmp_path.iterdir())) == 1
        expected = features.set_params(directory=None).transform(X)
        np.testing.assert_array_equal(mapped, expected)
        part = mapped[:5]
        del mapped
        gc.collect()
        np.testing.assert_array_equal(part, expected[:5])
        del part
        gc.collect()
        assert list(tmp_path.iterdir()) == []

    def test_one_chunk_needs_no_file(self, tmp_path, garments, steps):
        X, _ = garments
        features = ChunkedTransformer(steps, directory=tmp_path).fit(X)
        assert not isinstance(features.transform(X), np.memmap)
        assert list(tmp_path.iterdir()) == []

    def test_a_pickle_holds_the_transformer(self, garments, steps):
        X, _ = garments
        features = ChunkedTransformer(steps).fit(X)
        restored = pickle.loads(pickle.dumps(features))
        np.testing.assert_array_equal(restored.transform(X[:9]), features.transform(X[:9]))


class TestBadInput:
    def test_sparse_results_are_refused(self):
        features = ChunkedTransformer(OneHotEncoder()).fit(np.eye(4))
        with pytest.raises(TypeError, match=r"transformer returns csr_\w+, expected rows"):
            features.transform(np.eye(4))

    def test_targets_of_another_length_are_refused(self):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            ChunkedTransformer(StandardScaler(), max_samples=5).fit(np.eye(9), [1, 2])

    def test_a_missing_folder_is_named(self, tmp_path):
        features = ChunkedTransformer(StandardScaler(), chunk_size=2, directory=tmp_path / "none")
        with pytest.raises(FileNotFoundError, match="none"):
            features.fit(np.eye(9)).transform(np.eye(9))

    @pytest.mark.parametrize(("name", "value"), [("chunk_size", 0), ("max_samples", 1)])
    def test_parameters_are_checked(self, name, value):
        with pytest.raises(ValueError, match=f"The '{name}' parameter of ChunkedTransformer"):
            ChunkedTransformer(StandardScaler(), **{name: value}).fit(np.eye(4))
