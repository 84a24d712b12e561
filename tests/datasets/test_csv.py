import gzip
import io
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from fashionkit.datasets import _csv, load_fashion_mnist_csv

COLUMNS = ["label", *(f"pixel{i}" for i in range(1, 785))]


@pytest.fixture
def frame():
    values = np.random.RandomState(0).randint(0, 256, (7, 785))
    values[:, 0] = [9, 0, 1, 2, 3, 8, 9]
    values[0, 1:] = np.arange(784) % 256
    return pd.DataFrame(values, columns=COLUMNS)


def stream(frame):
    return io.StringIO(frame.to_csv(index=False))


def images(frame):
    return frame[COLUMNS[1:]].to_numpy(np.uint8).reshape(-1, 28, 28)


def test_gives_uint8_images_and_int64_labels(frame):
    X, y = load_fashion_mnist_csv(stream(frame))
    assert_array_equal(X, images(frame), strict=True)
    assert_array_equal(y, frame["label"].to_numpy(np.int64), strict=True)


def test_file_like_is_left_open(frame):
    file = stream(frame)
    load_fashion_mnist_csv(file)
    assert not file.closed


def test_binary_file_like_is_read_and_left_open(frame):
    file = io.BytesIO(frame.to_csv(index=False).encode())
    X, _ = load_fashion_mnist_csv(file)
    assert_array_equal(X, images(frame))
    assert not file.closed


@pytest.mark.parametrize("as_path", [str, lambda path: path], ids=["str", "Path"])
@pytest.mark.parametrize("name", ["train.csv", "train.csv.gz"])
def test_reads_plain_and_gzipped_paths(tmp_path, frame, name, as_path):
    frame.to_csv(tmp_path / name, index=False)
    X, _ = load_fashion_mnist_csv(as_path(tmp_path / name))
    assert_array_equal(X, images(frame))


def test_columns_are_ordered_by_their_number_not_by_position_or_alphabet(frame):
    for columns in (sorted(COLUMNS), COLUMNS[::-1]):
        X, y = load_fashion_mnist_csv(stream(frame[columns]))
        assert_array_equal(X, images(frame))
        assert_array_equal(y, frame["label"])


def test_chunks_are_joined_in_order(frame, monkeypatch):
    monkeypatch.setattr(_csv, "_CHUNK_ROWS", 2)
    X, y = load_fashion_mnist_csv(stream(frame))
    assert_array_equal(X, images(frame))
    assert_array_equal(y, frame["label"])


@pytest.mark.parametrize("text", ["7.0", " 7 ", '"7"', "7e0", "007"])
def test_whole_numbers_may_be_written_in_any_way(frame, text):
    frame = frame.astype(object)
    frame.loc[3, "pixel10"] = "SEVEN"
    file = io.StringIO(frame.to_csv(index=False).replace("SEVEN", text))
    X, _ = load_fashion_mnist_csv(file)
    assert X[3].flat[9] == 7
    assert X.dtype == np.uint8


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("256", "'256'"),
        ("300", "'300'"),
        ("-1", "'-1'"),
        ("65536", "'65536'"),
        ("4294967296", "'4294967296'"),
        ("18446744073709551616", "'18446744073709551616'"),
        ("1e30", "'1e[+]30'"),
        ("0.5", "'0.5'"),
        ("inf", "'inf'"),
        ("", "an empty cell"),
        ("nan", "an empty cell"),
        ("white", "'white'"),
        ("0x10", "'0x10'"),
        ("1_0", "'1_0'"),
        ("True", "'True'"),
        ("1+2j", "'1[+]2j'"),
    ],
)
def test_wrong_pixel_is_refused_naming_row_and_column(frame, text, found, monkeypatch):
    monkeypatch.setattr(_csv, "_CHUNK_ROWS", 2)
    frame = frame.astype(object)
    frame.loc[4, "pixel10"] = text
    with pytest.raises(
        ValueError,
        match=f"row 5 after the header, column 'pixel10': found {found}, "
        "expected a whole number from 0 to 255",
    ):
        load_fashion_mnist_csv(stream(frame))


def test_column_of_booleans_is_refused(frame):
    frame["pixel3"] = True
    with pytest.raises(ValueError, match=r"row 1 .* column 'pixel3': found 'True'"):
        load_fashion_mnist_csv(stream(frame))


@pytest.mark.parametrize("label", [10, -1, 255, 256, 0.5, "", "Bag"])
def test_wrong_label_is_refused_naming_the_row(frame, label):
    frame = frame.astype(object)
    frame.loc[2, "label"] = label
    with pytest.raises(
        ValueError, match=r"row 3 .* column 'label': .* a whole number from 0 to 9;"
    ):
        load_fashion_mnist_csv(stream(frame))


def test_missing_columns_are_named(frame):
    with pytest.raises(ValueError, match="has 784 columns: 'pixel10' missing, none unknown"):
        load_fashion_mnist_csv(stream(frame.drop(columns="pixel10")))


def test_unknown_columns_are_named(frame):
    frame["name"] = 1
    with pytest.raises(ValueError, match="786 columns: none missing, 'name' unknown"):
        load_fashion_mnist_csv(stream(frame))


def test_repeated_column_is_refused(frame):
    frame = pd.concat([frame, frame[["pixel1"]]], axis="columns")
    with pytest.raises(ValueError, match="none unknown, 'pixel1' repeated"):
        load_fashion_mnist_csv(stream(frame))


def test_file_without_header_is_refused_naming_a_few_columns(frame):
    with pytest.raises(ValueError, match="'label', 'pixel1', 'pixel2' and 782 more missing"):
        load_fashion_mnist_csv(io.StringIO(frame.to_csv(index=False, header=False)))


@pytest.mark.parametrize("extra", [",5", ",5" * 100])
@pytest.mark.parametrize("row", range(7))
def test_row_longer_than_the_header_is_refused(frame, row, extra, monkeypatch):
    monkeypatch.setattr(_csv, "_CHUNK_ROWS", 2)
    lines = frame.to_csv(index=False).splitlines()
    lines[row + 1] += extra
    with pytest.raises(
        ValueError,
        match=f"row {row + 1} after the header, has more values than the 785 columns"
        f"|Expected 800 fields in line {row + 2}, saw 885",
    ):
        load_fashion_mnist_csv(io.StringIO("\n".join(lines)))


def test_rows_all_longer_than_the_header_are_refused(frame):
    frame.insert(0, "row", range(len(frame)))
    text = frame.to_csv(index=False).removeprefix("row,")
    with pytest.raises(ValueError, match="row 1 after the header, has more values"):
        load_fashion_mnist_csv(io.StringIO(text))


def test_header_with_far_too_many_columns_is_refused():
    text = ",".join([*COLUMNS, *(f"other{i}" for i in range(100))])
    with pytest.raises(ValueError, match="has more than 800 columns"):
        load_fashion_mnist_csv(io.StringIO(f"{text}\n"))


def test_unnamed_index_column_is_refused(frame):
    with pytest.raises(ValueError, match="786 columns: none missing, '' unknown"):
        load_fashion_mnist_csv(io.StringIO(frame.to_csv()))


def test_byte_order_mark_and_windows_line_ends_are_accepted(frame):
    text = frame.to_csv(index=False, lineterminator="\r\n")
    X, _ = load_fashion_mnist_csv(io.BytesIO(text.encode("utf-8-sig")))
    assert_array_equal(X, images(frame))


def test_row_shorter_than_the_header_is_refused(frame):
    text = frame.to_csv(index=False).rstrip().rsplit(",", 1)[0]
    with pytest.raises(ValueError, match=r"row 7 .* column 'pixel784': found an empty cell"):
        load_fashion_mnist_csv(io.StringIO(text))


def test_header_without_rows_is_refused(frame):
    with pytest.raises(ValueError, match="has a header but no rows"):
        load_fashion_mnist_csv(stream(frame[:0]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b",,,\n", "is empty"),
        (b"\xff\xfe\x00\x01", "cannot be read as CSV"),
        (b'"\n,', "cannot be read as CSV"),
        (b"<html>\n<body>\n", "1 columns: .* missing, '<html>' unknown"),
    ],
)
def test_file_that_is_no_csv_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "photos.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"photos\.csv' (has )?{message}"):
        load_fashion_mnist_csv(path)


@pytest.mark.parametrize("damage", ["cut", "flip", "not gzip"])
def test_damaged_gzip_is_refused_by_name(tmp_path, frame, damage):
    content = bytearray(gzip.compress(frame.to_csv(index=False).encode(), mtime=0))
    if damage == "cut":
        del content[-100:]
    elif damage == "flip":
        content[50:90] = bytes(40)
    else:
        content[:2] = b"no"
    path = tmp_path / "train.csv.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"train\.csv\.gz"):
        load_fashion_mnist_csv(path)


COMPRESSIONS = ["gz", "bz2", "xz", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]


@pytest.mark.parametrize("damage", ["cut", "replaced"])
@pytest.mark.parametrize("extension", COMPRESSIONS)
def test_damage_in_any_compression_is_refused_by_name(tmp_path, frame, extension, damage):
    path = tmp_path / f"train.csv.{extension}"
    frame.to_csv(path, index=False)
    assert_array_equal(load_fashion_mnist_csv(path)[0], images(frame))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 4] if damage == "cut" else b"<html></html>" * 9)
    with pytest.raises(ValueError, match=rf"^CSV file '.*train\.csv\.{extension}' cannot be read"):
        load_fashion_mnist_csv(path)


def test_an_archive_of_several_files_is_refused_by_name_and_names_them(tmp_path):
    zipped, tar = tmp_path / "two.zip", tmp_path / "two.tar"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.csv", "label")
        archive.writestr("b.csv", "label")
    with tarfile.open(tar, "w") as archive:
        archive.add(zipped, "a.csv")
        archive.add(zipped, "b.csv")
    for path in (zipped, tar):
        with pytest.raises(ValueError, match=rf"{path.name}' cannot .*a\.csv.*b\.csv.*one file"):
            load_fashion_mnist_csv(path)


def test_zstandard_is_named_where_it_is_missing_and_damage_where_it_is_not(tmp_path):
    (tmp_path / "train.csv.zst").write_bytes(b"no zstandard")
    with pytest.raises(ValueError, match=r"(?i)train\.csv\.zst' cannot be read .*(zstd|zstandard)"):
        load_fashion_mnist_csv(tmp_path / "train.csv.zst")


def test_a_path_may_start_with_the_users_home(tmp_path, frame, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    frame.to_csv(tmp_path / "train.csv", index=False)
    assert_array_equal(load_fashion_mnist_csv("~/train.csv")[0], images(frame))


def test_missing_file_raises_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_fashion_mnist_csv(tmp_path / "nothing.csv")


@settings(max_examples=settings().max_examples // 2)
@given(
    st.lists(st.integers(-(2**70), 2**70), min_size=1, max_size=3)
    | st.lists(st.integers(-3, 260), min_size=1, max_size=3)
)
def test_a_value_is_read_exactly_or_refused(values):
    pixels = [[1, *[0] * 783, value] for value in values]
    file = stream(pd.DataFrame(pixels, columns=COLUMNS))
    if all(0 <= value <= 255 for value in values):
        X, _ = load_fashion_mnist_csv(file)
        assert X[:, 27, 27].tolist() == values
    else:
        with pytest.raises(ValueError, match="column 'pixel784'"):
            load_fashion_mnist_csv(file)
