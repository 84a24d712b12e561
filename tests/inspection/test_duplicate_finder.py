"""DuplicateFinder, and what find_duplicates finds in files and by embeddings."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fashionkit import ImageFolder, ImageSearch, PixelFeatures, find_duplicates, load, save
from fashionkit.inspection import DuplicateFinder


def photo(seed):
    """Return smooth random colours, like those of a photo, as an image of Pillow."""
    noise = np.random.RandomState(seed).randint(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((160, 120))


@pytest.fixture
def folder(tmp_path):
    """Return a folder of four photos, the first of which is there four times."""
    place = tmp_path / "photos"
    place.mkdir()
    for seed in range(4):
        photo(seed).save(place / f"{seed}.png")
    shutil.copy(place / "0.png", place / "copy.png")
    photo(0).save(place / "lossless.bmp")
    photo(0).resize((120, 90)).save(place / "small.jpg", quality=85)
    return place


def names(pairs):
    return {
        (*(path.rpartition("/")[2] for path in sorted(pair[:2])), pair[2])
        for pair in pairs[["first", "second", "kind"]].to_numpy().tolist()
    }


FOUND = {
    ("0.png", "copy.png", "file"),
    ("0.png", "lossless.bmp", "identical"),
    ("copy.png", "lossless.bmp", "identical"),
    ("0.png", "small.jpg", "near"),
    ("copy.png", "small.jpg", "near"),
    ("lossless.bmp", "small.jpg", "near"),
}


class TestFiles:
    @pytest.mark.parametrize("kind", [str, sorted, "folder"])
    def test_every_kind_is_told_apart(self, folder, kind):
        X = ImageFolder.from_paths(folder, image_size=96)
        if kind != "folder":
            X = str(folder) if kind is str else X.filenames.tolist()
        assert names(DuplicateFinder().fit(X).find()) == FOUND
        pairs = find_duplicates(X)
        table = pd.DataFrame([{"first": p.paths[0], "second": p.paths[1], **p} for p in pairs])
        assert names(table) == FOUND

    def test_paths_are_read_at_the_size_of_the_reference(self, folder):
        reference = ImageFolder.from_paths([folder / "0.png"], image_size=48)
        pairs = find_duplicates(str(folder / "copy.png"), reference)
        assert [(pair.indices, pair.kind) for pair in pairs] == [((0, 0), "file")]

    def test_an_empty_folder_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="has no files"):
            DuplicateFinder().fit(tmp_path)


class TestIncremental:
    def test_images_added_in_parts_give_the_pairs_of_all_at_once(self, garments):
        X = np.concatenate([garments[0][:40], garments[0][:5]])
        parts = DuplicateFinder().fit(X[:30]).partial_fit(X[30:])
        pd.testing.assert_frame_equal(parts.find(), DuplicateFinder().fit(X).find())
        assert len(parts.find()) >= 5

    def test_only_pairs_with_a_new_image_are_listed_since_then(self, garments):
        X = garments[0][:30]
        finder = DuplicateFinder().fit(np.concatenate([X, X[:1]]))
        before = len(finder.find())
        finder.partial_fit(X[[5, 6]], ids=[100, 101])
        assert len(finder.find()) == before + 2
        new = finder.find(since=31)
        assert new[["first", "second", "kind"]].to_numpy().tolist() == [
            [5, 100, "identical"],
            [6, 101, "identical"],
        ]

    def test_what_was_read_is_saved_and_the_files_may_be_gone(self, folder, tmp_path):
        path = save(DuplicateFinder().fit(folder), tmp_path / "read")
        shutil.copy(folder / "2.png", tmp_path / "again.png")
        shutil.rmtree(folder)
        finder = load(path)
        n_images = len(finder.ids_)
        finder.partial_fit(tmp_path / "again.png")
        assert names(finder.find(since=n_images)) == {("2.png", "again.png", "file")} or names(
            finder.find(since=n_images)
        ) == {("again.png", "2.png", "file")}

    def test_fit_forgets_the_images_before(self, garments):
        X = garments[0][:10]
        finder = DuplicateFinder().fit(X).fit(X[:5])
        assert finder.ids_.tolist() == [0, 1, 2, 3, 4]

    def test_ids_of_another_kind_and_images_of_another_shape_are_refused(self, garments):
        X = garments[0][:4]
        finder = DuplicateFinder().fit(X)
        with pytest.raises(ValueError, match="all as whole numbers or all as texts"):
            finder.partial_fit(X, ids=list("abcd"))
        with pytest.raises(ValueError, match="images of shape"):
            finder.partial_fit(X[:, 1:])
        assert len(finder.ids_) == 4


class TestProducts:
    def test_mirror_images_are_the_same_product_to_an_embedding_that_sees_no_sides(self):
        class Colours(PixelFeatures):
            def transform(self, X):
                return np.asarray(X).mean(axis=(1, 2)).astype(float)

        X = np.stack([np.asarray(photo(seed).resize((40, 30))) for seed in range(3)])
        X = np.concatenate([X, X[:1, :, ::-1]])
        (pair,) = find_duplicates(X, embedding=Colours(), max_product_distance=1e-6)
        assert (pair.indices, pair.kind) == ((0, 3), "product")
        (pair,) = find_duplicates(X[3:], X[:3], embedding=Colours(), max_product_distance=1e-6)
        assert (pair.indices, pair.kind) == ((0, 0), "product")

    def test_a_pair_of_another_kind_is_no_product(self, garments):
        X = garments[0][[0, 1, 0]]
        pairs = DuplicateFinder(embedding=ImageSearch(), max_product_distance=0).fit(X).find()
        assert pairs["kind"].tolist() == ["identical"]
