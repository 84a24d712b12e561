"""Images that are the same as others, to the pixel or nearly."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageEnhance

from fashionkit import ImageFolder, fetch_fashion_mnist, find_duplicates
from fashionkit.inspection import _fingerprints

# Two gray levels and few pixels, so that many of the images drawn are the same.
shapes = array_shapes(min_dims=3, max_dims=3, max_side=8).map(
    lambda shape: (shape[0], *(side % 2 + 1 for side in shape[1:]))
)
tiny_images = arrays(np.uint8, shapes, elements=st.sampled_from([0, 255]))


def photo(seed):
    """Return smooth random colours, like those of a photo, as an image of Pillow."""
    noise = np.random.RandomState(seed).randint(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((160, 120))


def indices(pairs, kind=None):
    return [pair.indices for pair in pairs if kind in (None, pair.kind)]


def jpeg(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def pixels(image):
    """Return what an image has at one size."""
    return np.asarray(image.resize((80, 60)))


@pytest.fixture(scope="module")
def photos():
    """Return 40 different images in colour."""
    return np.stack([pixels(photo(seed)) for seed in range(40)])


class TestIdentical:
    @given(tiny_images)
    def test_all_that_have_the_same_pixels_are_found_and_no_others(self, X):
        same = [(i, j) for j in range(len(X)) for i in range(j) if np.array_equal(X[i], X[j])]
        assert indices(find_duplicates(X), "identical") == sorted(same)

    def test_a_pair_says_what_it_is(self, photos):
        (pair,) = find_duplicates(photos[[3, 5, 3]])
        assert pair == {"indices": (0, 2), "kind": "identical", "distance": 0.0}

    def test_one_gray_level_in_one_pixel_makes_it_near(self, photos):
        X = photos[[0, 0]]
        X[1, 7, 7, 0] ^= 1
        (pair,) = find_duplicates(X)
        assert pair.kind == "near"

    @pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64])
    def test_the_dtype_does_not_matter(self, garments, dtype):
        X = garments[0][:30]
        scale = 255 if dtype in (np.float32, np.float64) else 1
        assert indices(find_duplicates(X.astype(dtype) / scale, X), "identical") == [
            (i, i) for i in range(30)
        ]

    def test_every_gray_level_is_the_same_in_every_dtype(self):
        levels = np.arange(256, dtype=np.uint8).reshape(-1, 1, 1)
        for divided in (levels / 255, levels.astype(np.float32) / 255):
            assert indices(find_duplicates(divided, levels)) == [(i, i) for i in range(256)]

    def test_forms_do_not_matter(self, garments):
        X = garments[0][:10]
        table = pd.DataFrame(X.reshape(10, -1)).add_prefix("pixel")
        for form in (table, list(X), X[..., np.newaxis]):
            assert indices(find_duplicates(form, X), "identical") == [(i, i) for i in range(10)]

    def test_numbers_of_no_usual_range_are_compared_as_they_are(self):
        X = np.random.RandomState(0).standard_normal((200, 12, 12))
        assert indices(find_duplicates(X[:5], X)) == [(i, i) for i in range(5)]

    def test_minus_zero_is_zero(self):
        X = np.zeros((2, 4, 4))
        X[1] = -0.0
        assert indices(find_duplicates(X)) == [(0, 1)]

    def test_of_thousands_of_blank_images_each_is_found_in_bounded_work(self):
        pairs = find_duplicates(np.zeros((3000, 8, 8), np.uint8))
        assert len(pairs) < 20 * 3000
        assert {i for pair in pairs for i in pair.indices} == set(range(3000))
        assert max(Counter(indices(pairs)).values()) == 1


class TestNear:
    @pytest.mark.parametrize(
        "alter",
        [
            lambda image: image.resize((80, 60)),
            lambda image: image.resize((240, 180)),
            lambda image: jpeg(image, 70),
            lambda image: jpeg(image, 95),
            lambda image: ImageEnhance.Brightness(image).enhance(0.8),
            lambda image: ImageEnhance.Contrast(image).enhance(0.8),
        ],
        ids=["smaller", "larger", "JPEG 70", "JPEG 95", "darker", "less contrast"],
    )
    def test_altered_copies_are_found_and_nothing_else(self, photos, alter):
        X = np.stack([pixels(alter(photo(seed))) for seed in range(5)])
        assert indices(find_duplicates(X, photos)) == [(i, i) for i in range(5)]

    def test_brightness_is_no_distance(self, photos):
        (pair,) = find_duplicates([photos[0] / 510], [photos[0] / 255])
        assert pair.kind == "near"
        assert pair.distance < 1e-3

    def test_the_distance_is_that_of_standardised_pixels(self, garments):
        X = garments[0][[0, 0]]
        X[1, 10:14, 10:14] //= 2
        flat = X.reshape(2, -1).astype(float)
        flat = (flat - flat.mean(axis=1, keepdims=True)) / flat.std(axis=1, keepdims=True)
        (pair,) = find_duplicates(X, max_distance=2)
        assert pair.distance == pytest.approx(np.sqrt(np.mean((flat[0] - flat[1]) ** 2)), rel=1e-3)
        assert len(find_duplicates(X, max_distance=pair.distance)) == 1
        assert len(find_duplicates(X, max_distance=0.99 * pair.distance)) == 0

    def test_other_colours_are_other_images(self, photos):
        assert find_duplicates(photos[:1, ..., ::-1], photos[:1]) == []

    def test_negatives_and_mirror_images_are_other_images(self, photos):
        assert find_duplicates(255 - photos, photos) == []
        assert find_duplicates(photos[:, :, ::-1], photos) == []

    def test_images_of_one_colour_are_near_to_none(self):
        X = np.full((4, 40, 40), 7, np.uint8)
        X[1:] += np.arange(3, dtype=np.uint8)[:, np.newaxis, np.newaxis]
        X[3, 0, 0] += 1
        assert indices(find_duplicates(X, max_distance=2)) == [(0, 1)]

    def test_copies_of_identical_images_are_paired_with_each_of_them(self, photos):
        darker = (0.8 * photos[0]).astype(np.uint8)
        pairs = find_duplicates([photos[0], darker, photos[0]])
        assert indices(pairs, "identical") == [(0, 2)]
        assert indices(pairs, "near") == [(0, 1), (1, 2)]

    def test_many_that_look_alike_are_found_in_bounded_work(self, monkeypatch):
        monkeypatch.setattr(_fingerprints, "_MOST_NEIGHBOURS", 8)
        noise = np.random.RandomState(0).randint(0, 2, (500, 28, 28), dtype=np.uint8)
        pairs = find_duplicates(100 + noise + 100 * np.tri(28, dtype=np.uint8))
        assert set(range(500)) == {i for pair in pairs for i in pair.indices}
        assert len(pairs) <= 28 * 8 * 500


class TestPairs:
    @given(tiny_images, st.data())
    def test_two_sets_are_compared_alike_from_both_sides(self, X, data):
        cut = data.draw(st.integers(1, len(X)))
        first, second = X[:cut], X[cut - 1 :]
        there, back = find_duplicates(first, second), find_duplicates(second, first)
        assert indices(there) == sorted((i, j) for j, i in indices(back))
        assert Counter(pair.distance for pair in there) == Counter(pair.distance for pair in back)

    def test_near_pairs_are_the_same_from_both_sides(self, photos):
        darker = (0.8 * photos[::-2]).astype(np.uint8)
        there, back = find_duplicates(darker, photos), find_duplicates(photos, darker)
        assert len(there) == 20
        assert indices(there) == sorted((i, j) for j, i in indices(back))

    def test_the_order_of_the_images_does_not_matter(self, photos):
        X = np.concatenate([photos, photos[:5], (0.8 * photos[3:9]).astype(np.uint8)])
        order = np.random.RandomState(0).permutation(len(X))
        pairs, shuffled = find_duplicates(X), find_duplicates(X[order])
        assert len(pairs) == 5 + 6 + 2
        moved = [tuple(sorted(order[list(pair.indices)].tolist())) for pair in shuffled]
        assert sorted(moved) == indices(pairs)

    def test_pairs_are_sorted_and_within_a_set_the_smaller_position_is_first(self, photos):
        X = photos[[5, 2, 5, 2, 5]]
        assert indices(find_duplicates(X)) == [(0, 2), (0, 4), (1, 3), (2, 4)]

    def test_images_are_not_compared_within_the_sets(self, photos):
        assert find_duplicates(photos[[0, 0]], photos[[1, 1]]) == []

    def test_one_image_has_no_duplicate(self, photos):
        assert find_duplicates(photos[:1]) == []

    def test_what_is_passed_is_left_as_it_is(self):
        X = np.full((3, 4, 4), -0.0)
        find_duplicates(X)
        assert np.signbit(X).all()

    def test_hashes_are_all_compared_that_differ_in_six_bits(self):
        random = np.random.RandomState(0)
        hashes = random.randint(0, 256, (60, 8), dtype=np.uint8)
        for i in range(1, 60, 2):  # each second one is the one before, but for 1 to 8 bits
            flipped = np.zeros(64, np.uint8)
            flipped[random.choice(64, 1 + i // 2 % 8, replace=False)] = 1
            hashes[i] = hashes[i - 1] ^ np.packbits(flipped)
        distances = np.unpackbits(hashes[:, np.newaxis] ^ hashes, axis=2).sum(axis=2)
        expected = [(i, j) for i, j in np.argwhere(distances <= 6).tolist() if i < j]
        assert sorted(map(tuple, _fingerprints.similar_hashes(hashes).tolist())) == expected


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path):
        for seed in range(4):
            photo(seed).save(tmp_path / f"{seed}.png")
        photo(1).resize((140, 105)).save(tmp_path / "4.jpg", quality=80)
        return ImageFolder.from_paths(tmp_path, image_size=48)

    def test_files_are_named(self, folder):
        (pair,) = find_duplicates(folder)
        assert pair.indices == (1, 4)
        assert pair.paths == (folder.filenames[1], folder.filenames[4])
        (pair,) = find_duplicates(folder[[4]], folder[:4])
        assert pair.paths == (folder.filenames[4], folder.filenames[1])
        assert all(type(path) is str for path in pair.paths)

    def test_folders_and_arrays_are_compared_and_have_no_paths(self, folder):
        pairs = find_duplicates(folder, np.asarray(folder))
        assert indices(pairs, "identical") == [(i, i) for i in range(5)]
        assert all("paths" not in pair for pair in pairs)

    def test_each_file_is_read_once(self, folder, monkeypatch):
        read = []
        original = ImageFolder._read_into

        def count(self, images, row, path, *rest):
            read.append(path)
            return original(self, images, row, path, *rest)

        monkeypatch.setattr(ImageFolder, "_read_into", count)
        find_duplicates(folder[:3], folder[3:])
        assert sorted(read) == sorted(folder.filenames)

    def test_sizes_that_differ_are_refused(self, folder):
        larger = ImageFolder.from_paths(folder.filenames, image_size=64)
        with pytest.raises(ValueError, match=r"shape \(48, 48, 3\), but reference .*\(64, 64, 3\)"):
            find_duplicates(folder, larger)


class TestInvalid:
    def test_no_images_are_refused_by_name(self, photos):
        with pytest.raises(ValueError, match="0 sample"):
            find_duplicates(photos[:0])
        with pytest.raises(ValueError, match=r"Invalid reference .* 0 sample"):
            find_duplicates(photos, photos[:0])

    def test_shapes_that_differ_are_refused(self, photos):
        with pytest.raises(ValueError, match=r"X has images of shape .* reference has images of"):
            find_duplicates(photos, photos[:, :-1])
        with pytest.raises(ValueError, match="resize or convert"):
            find_duplicates(photos[..., 0], photos)

    def test_what_are_no_images_is_refused_by_name(self, photos):
        with pytest.raises(ValueError, match="looks like a single image"):
            find_duplicates(photos[0])
        with pytest.raises(ValueError, match=r"a\.jpg' cannot be read as an image"):
            find_duplicates(photos, ["a.jpg"])
        with pytest.raises(ValueError, match=r"Invalid reference .* NaN"):
            find_duplicates(photos, np.full(photos.shape, np.nan))

    @pytest.mark.parametrize("max_distance", [-0.1, 2.1, "near", None])
    def test_the_distance_is_validated(self, photos, max_distance):
        with pytest.raises(ValueError, match="'max_distance' parameter of find_duplicates"):
            find_duplicates(photos, max_distance=max_distance)

    def test_flat_rows_have_the_shape_that_is_said(self, photos):
        flat = photos.reshape(len(photos), -1)
        assert len(find_duplicates(flat, flat, image_shape=(60, 80, 3))) == len(photos)
        with pytest.raises(ValueError, match="image_shape="):
            find_duplicates(flat, image_shape=(60, 80))


@pytest.mark.realdata
def test_fashion_mnist_has_no_identical_test_images_but_near_ones():
    try:
        X_test, _ = fetch_fashion_mnist("test", return_X_y=True, download_if_missing=False)
    except OSError as error:
        pytest.skip(f"needs Fashion-MNIST: set FASHIONKIT_DATA to its folder ({error})")
    pairs = find_duplicates(X_test)
    assert [(pair.indices, pair.kind) for pair in pairs] == [
        ((802, 9921), "near"),
        ((2115, 4926), "near"),
    ]
