import gzip
import math
import struct
import tempfile
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from fashionkit.datasets import read_idx

TYPE_CODES = {
    "uint8": 0x08,
    "int8": 0x09,
    "int16": 0x0B,
    "int32": 0x0C,
    "float32": 0x0D,
    "float64": 0x0E,
}


def idx_bytes(array):
    header = struct.pack(
        f">HBB{array.ndim}I", 0, TYPE_CODES[array.dtype.name], array.ndim, *array.shape
    )
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def written(folder, content, name="file"):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture
def images():
    return np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


@pytest.mark.parametrize("dtype", TYPE_CODES)
def test_reads_every_idx_dtype_in_native_byte_order(tmp_path, dtype):
    expected = np.array([[0, 1, 100], [3, -4 if dtype[0] != "u" else 4, 5]], dtype)
    array = read_idx(written(tmp_path, idx_bytes(expected)))
    assert array.dtype == np.dtype(dtype)
    assert array.dtype.isnative
    assert_array_equal(array, expected)


@pytest.mark.parametrize("shape", [(), (0,), (7,), (0, 28, 28), (2, 1, 3, 1, 2)])
def test_reads_any_number_of_dimensions(tmp_path, shape):
    expected = np.arange(math.prod(shape), dtype=np.int16).reshape(shape)
    assert_array_equal(read_idx(written(tmp_path, idx_bytes(expected))), expected)


def test_a_path_may_start_with_the_users_home(tmp_path, images, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    written(tmp_path, idx_bytes(images))
    assert_array_equal(read_idx("~/file"), images)


@pytest.mark.parametrize("name", ["images.gz", "images"])
@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzipped", "plain"])
def test_detects_gzip_by_content_not_by_name(tmp_path, images, name, pack):
    path = written(tmp_path, pack(idx_bytes(images)), name)
    assert_array_equal(read_idx(path), images)


def test_accepts_a_path_given_as_a_string(tmp_path, images):
    assert_array_equal(read_idx(str(written(tmp_path, idx_bytes(images)))), images, strict=True)


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_the_array_is_writable(tmp_path, dtype):
    array = read_idx(written(tmp_path, idx_bytes(np.zeros(3, dtype))))
    array[0] = 1
    assert array.sum() == 1


def test_missing_file_raises_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")


VALID = idx_bytes(np.arange(12, dtype=np.int16).reshape(3, 4))
ZIPPED = gzip.compress(VALID, mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found no bytes, it is empty"),
        (gzip.compress(b"", mtime=0), "found no bytes, it is empty"),
        (b"\0", "found 1 bytes; expected a header of at least 4"),
        (b"\0\0\x08", "found 3 bytes; expected a header of at least 4"),
        (b"<html>Not found</html>", r"found the magic number b'<htm'"),
        (b"\0\0\x0a\1\0\0\0\0", "found the type code 0x0A; expected one of 0x08, 0x09"),
        (VALID[:7], "found a header cut short after 7 bytes; expected 12"),
        (VALID[:-1], r"found 23 bytes of values; expected 24 for the int16 array of"),
        (VALID + b"\0", r"more than 24 bytes of values; expected exactly .* \(3, 4\)"),
        (gzip.compress(VALID[:-1], mtime=0), "found 23 bytes of values; expected 24"),
        (gzip.compress(VALID + b"\0", mtime=0), "found more than 24 bytes of values"),
        (ZIPPED[:-9], "found a damaged gzip stream .*ended before"),
        (ZIPPED[:-1], "found a damaged gzip stream .*ended before"),
        (ZIPPED[:5], "found a damaged gzip stream .*ended before"),
        (ZIPPED[:-8] + b"abcd" + ZIPPED[-4:], "found a damaged gzip stream .*CRC"),
        (ZIPPED[:12] + b"\xff" * 8 + ZIPPED[20:], "found a damaged gzip stream"),
        (ZIPPED + b"garbage", "found a damaged gzip stream"),
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"x", "header of 255 dimensions"),
        (b"\0\0\x08\4" + bytes(4) + b"\xff" * 12, "dimensions that NumPy can hold"),
    ],
)
def test_error_names_the_file_the_finding_and_the_remedy(tmp_path, content, message):
    path = written(tmp_path, content, "bad-idx")
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith("delete it and fetch it again.")


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzipped", "plain"])
def test_a_header_that_lies_about_its_size_takes_no_memory(tmp_path, pack):
    header = b"\0\0\x0e\3" + b"\xff" * 12
    path = written(tmp_path, pack(header + bytes(1000)))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="found 1000 bytes of values"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_behind_a_small_header_is_not_decompressed(tmp_path):
    path = written(tmp_path, gzip.compress(b"\0\0\x08\1\0\0\0\2" + bytes(50_000_000), mtime=0))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than 2 bytes"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def read_strictly(content):
    """Decode IDX the plain way; anything odd is a ValueError."""
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        zero, code, n_dims = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{n_dims}I", content, 4)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise ValueError(str(error)) from error
    dtype = {code: name for name, code in TYPE_CODES.items()}.get(code)
    if zero or dtype is None:
        raise ValueError("not IDX")
    dtype = np.dtype(dtype).newbyteorder(">")
    values = np.frombuffer(content[4 + 4 * n_dims :], np.uint8)
    if values.size != math.prod(shape) * dtype.itemsize:
        raise ValueError("length")
    return values.view(dtype).reshape(shape)


def check_agrees_with_the_strict_reader(content):
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), content)
        try:
            expected = read_strictly(content)
        except ValueError:
            with pytest.raises(ValueError, match="cannot be read as an IDX file"):
                read_idx(path)
        else:
            array = read_idx(path)
            assert array.dtype.isnative
            assert_array_equal(array, expected, strict=False)
            assert array.dtype == expected.dtype.newbyteorder("=")
            assert array.shape == expected.shape


ARRAYS = hnp.arrays(
    st.sampled_from(sorted(TYPE_CODES)),
    hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
)


@settings(max_examples=3 * settings().max_examples)
@given(ARRAYS, st.booleans())
def test_every_valid_file_is_read_back_exactly(array, zipped):
    content = idx_bytes(array)
    check_agrees_with_the_strict_reader(gzip.compress(content, mtime=0) if zipped else content)


@settings(max_examples=3 * settings().max_examples)
@given(st.binary(max_size=60))
@example(b"\0\0\x08\0\7")
def test_random_bytes_never_raise_anything_but_value_error(content):
    check_agrees_with_the_strict_reader(content)
    check_agrees_with_the_strict_reader(b"\0\0\x08" + content)
    check_agrees_with_the_strict_reader(b"\x1f\x8b\x08\x00" + content)


@settings(max_examples=3 * settings().max_examples)
@given(
    ARRAYS,
    st.booleans(),
    st.lists(
        st.tuples(
            st.sampled_from(["replace", "insert", "cut"]),
            st.integers(0, 200),
            st.integers(0, 255),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_damaged_files_never_raise_anything_but_value_error(array, zipped, damages):
    content = bytearray(idx_bytes(array))
    if zipped:
        content = bytearray(gzip.compress(bytes(content), mtime=0))
    for kind, where, byte in damages:
        where %= len(content) + 1
        if kind == "replace":
            content[where : where + 1] = bytes([byte])
        elif kind == "insert":
            content.insert(where, byte)
        else:
            del content[where:]
    check_agrees_with_the_strict_reader(bytes(content))
