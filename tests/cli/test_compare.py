import gzip
import hashlib
import struct
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import fashionkit
from fashionkit import CLASS_NAMES, list_models, make_garments
from fashionkit._cli import _parser, compare, main
from fashionkit.datasets import _choose, _download
from fashionkit.datasets._choose import choose_images, stratified_order
from fashionkit.datasets._fashion_mnist import _FILES

SMALL = ["--train-size", "60", "--test-size", "20"]


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch):
    """Work in an empty folder, and return the folder for results."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work" / "fashionkit-results"


@pytest.fixture
def no_data(tmp_path, monkeypatch):
    """Hide Fashion-MNIST, and the network."""
    for variable in ("FASHIONKIT_DATA", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "empty"))
    monkeypatch.setattr(_download.pooch, "os_cache", lambda name: tmp_path / "empty")
    monkeypatch.setattr(_download, "_SOURCES", ())


def test_a_damaged_archive_is_one_line_with_its_name(tmp_path, capsys):
    (tmp_path / "train.csv.zip").write_bytes(b"no archive")
    assert main(["compare", "--data", str(tmp_path / "train.csv.zip")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("fashionkit: error: CSV file ")
    assert "train.csv.zip' cannot be read as CSV: " in error


@pytest.mark.usefixtures("no_data")
def test_the_output_may_be_in_the_users_home(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert main(["compare", "--data", "nothing.csv", "--output", "~/results"]) == 1
    assert "nothing.csv" in capsys.readouterr().err
    assert (tmp_path / "home" / "results").is_dir()


@pytest.fixture
def small_data(no_data, tmp_path, monkeypatch):
    """Put 200 + 50 generated images in place of Fashion-MNIST; return their folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    sha256 = {}
    for seed, (part, n) in enumerate({"train": 200, "test": 50}.items()):
        X, y = make_garments(n, random_state=seed)
        for name, array in zip(_FILES[part], (X, y.astype(np.uint8)), strict=True):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            content = gzip.compress(header + array.tobytes(), mtime=0)
            (folder / name).write_bytes(content)
            sha256[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(_download, "_SHA256", sha256)
    monkeypatch.setenv("FASHIONKIT_DATA", str(folder))
    return folder


@pytest.fixture
def quick(monkeypatch):
    """Put quick models in place of those that the command knows, and draw no figures."""
    monkeypatch.setattr("fashionkit.comparison._files._figures", lambda comparison: {})
    flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    models = {
        "cnn": make_pipeline(flatten, KNeighborsClassifier(3)),
        "hog-svm": make_pipeline(flatten, DummyClassifier()),
    }
    monkeypatch.setattr(compare, "_make_model", lambda name, *_: (name, models[name]))
    monkeypatch.setattr(compare, "_DEFAULT_MODELS", tuple(models))
    return models


@pytest.fixture
def csv(tmp_path):
    X, y = make_garments(120, random_state=0)
    frame = pd.DataFrame(X.reshape(len(X), -1), columns=[f"pixel{i}" for i in range(1, 785)])
    frame.insert(0, "label", y)
    path = tmp_path / "garments.csv"
    frame.to_csv(path, index=False)
    return path


def one_error(capsys):
    """Return the one line of an error, after checking that it is one."""
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("fashionkit: error: ")
    return line


def test_compare_prints_data_table_and_files(small_data, quick, output, capsys):
    assert main(["compare", *SMALL]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == (
        f"Data: Fashion-MNIST, found in {small_data}: 60 training and 20 test images "
        "(stratified, seed 0)."
    )
    assert "\nmodel " in out
    assert " is better than hog-svm " in out or "cannot be told apart" in out
    for path in output.iterdir():
        assert f"  fashionkit-results/{path.name}\n" in out
    assert out.splitlines()[-1] == "  fashionkit-results/report.html"


def test_full_takes_all_images(small_data, quick, capsys):
    assert main(["compare", "--full", "--models", "hog-svm"]) == 0
    assert ": 200 training and 50 test images.\n" in capsys.readouterr().out


def test_default_without_fashion_mnist_is_garments_and_says_why(no_data, quick, capsys):
    assert main(["compare", *SMALL]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        "Data: generated garments: 60 training and 20 test images (seed 0), because "
        "Fashion-MNIST was not found and could not be downloaded: train-images"
    )


def test_reason_of_a_failed_download_is_its_last_cause():
    error = OSError(
        "x.gz could not be downloaded:\n- http://a/x.gz: ConnectionError: slow\n"
        "- https://b/x.gz: ConnectionError: Max retries (Caused by Nameless('b'))\n"
        "Check the network."
    )
    assert _choose._reason(error) == "Nameless('b')"
    assert _choose._reason(OSError("disk full")) == "disk full"
    assert _choose._reason(OSError("x:\n- http://a: gone")) == "http://a: gone"


def test_fashion_mnist_asked_for_by_name_is_never_replaced(no_data, quick, capsys):
    assert main(["compare", *SMALL, "--data", "fashion-mnist"]) == 1
    assert "train-images-idx3-ubyte.gz could not be downloaded" in one_error(capsys)


def test_csv_is_split_and_says_so(csv, quick, capsys):
    assert main(["compare", "--data", str(csv)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        f"Data: 120 images of {csv}, split into 100 training and 20 test images "
        "(stratified, seed 0)."
    )


def test_a_real_network_and_a_real_baseline(output, capsys):
    arguments = ["compare", "--data", "garments", *SMALL, "--epochs", "1"]
    arguments += ["--models", "cnn", "hog-svm", "--no-report"]
    assert main([*arguments, "--output", str(output / "a" / "b")]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("Data: generated garments, as asked for: 60 training")
    assert "1/2 " in captured.err
    assert "2/2 " in captured.err
    assert "%|" not in captured.out
    written = {path.name for path in (output / "a" / "b").iterdir()}
    assert {"results.csv", "pairwise.csv", "learning_curves.png"} <= written
    assert {"confusion_matrix_cnn.png", "confusion_matrix_hog-svm.png"} <= written
    assert "report.html" not in written


@pytest.mark.slow  # as the commands, called as functions
def test_module_runs_as_a_command(tmp_path):
    command = [sys.executable, "-m", "fashionkit", "compare", "--models", "hog-tree"]
    done = subprocess.run(
        [*command, "--data", "garments", *SMALL],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Data: generated garments")
    assert (tmp_path / "fashionkit-results" / "results.csv").exists()


def test_help_names_every_model_without_tensorflow():
    script = (
        "import sys\n"
        "from fashionkit._cli import main\n"
        "try:\n"
        "    main(['compare', '--help'])\n"
        "except SystemExit as stop:\n"
        "    assert stop.code == 0\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    listed = done.stdout.partition("models:\n")[2].replace(",", "").split()
    assert listed == list_models()


def test_folds_searches_and_checkpoints_are_passed_on(tmp_path, output, monkeypatch):
    # Starting processes for so little takes longer than all the rest.
    monkeypatch.setattr(compare.joblib, "parallel_config", lambda **_: nullcontext())
    monkeypatch.setattr("fashionkit.comparison._files._figures", lambda comparison: {})
    command = ["compare", "--data", "garments", *SMALL, "--models", "pixels-tree", "color-tree"]
    command += [
        "--cv",
        "2",
        "--tune",
        "2",
        "--checkpoint-dir",
        str(tmp_path / "kept"),
        "--no-report",
    ]
    assert main(command) == 0
    assert len(list((tmp_path / "kept").glob("*.pickle"))) == 6
    assert len(pd.read_csv(output / "folds.csv")) == 4
    assert main(command) == 0
    with pytest.raises(SystemExit) as stop:
        main(["compare", "--models", "pixels-tre"])
    assert stop.value.code == 2


@pytest.fixture
def photos(tmp_path):
    """Write 24 photos of two classes; return their folder."""
    rng = np.random.default_rng(0)
    for label, level in (("dark", 60), ("light", 180)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(level - 20, level + 20, (40, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{i}.png")
    return tmp_path / "photos"


def test_a_folder_of_photos_is_split_and_its_files_are_named(photos, output, capsys):
    arguments = ["--data", str(photos), "--models", "color-tree", "--image-size", "16"]
    assert main(["compare", *arguments, "--test-size", "8", "--no-report"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        f"Data: photos of 2 classes in {photos}, at 16 pixels: 16 training and 8 test images "
        "(stratified, seed 0)."
    )
    assert set(pd.read_csv(output / "per_class.csv")["class"]) == {"dark", "light"}


def test_a_divided_folder_is_taken_as_it_is(photos, tmp_path, capsys):
    (tmp_path / "divided").mkdir()
    photos.rename(tmp_path / "divided" / "train")
    for i, label in enumerate(("dark", "light")):
        (tmp_path / "divided" / "validation" / label).mkdir(parents=True)
        train = tmp_path / "divided" / "train" / label
        for name in ("0.png", "1.png"):
            (train / name).rename(tmp_path / "divided" / "validation" / label / f"{i}{name}")
    choice = choose_images(tmp_path / "divided", image_size=8)
    assert choice.X.shape == (20, 8, 8, 3)
    assert choice.y_test.tolist() == ["dark"] * 2 + ["light"] * 2
    assert choice.description.endswith("at 8 pixels: 20 training and 4 test images.")
    drawn = choose_images(tmp_path / "divided", image_size=8, train_size=6)
    assert sorted(drawn.y) == ["dark"] * 3 + ["light"] * 3


@pytest.mark.filterwarnings("default:Model .* failed")
def test_default_models_without_weights_are_left_out(small_data, quick, monkeypatch, capsys):
    class Backbone(DummyClassifier):
        def fit(self, X, y):
            raise FileNotFoundError("weights='imagenet' of backbone='mobilenetv2' are unavailable")

    quick["mobilenetv2-head"] = Backbone()
    monkeypatch.setattr(compare, "_DEFAULT_MODELS", tuple(quick))
    assert main(["compare", *SMALL, "--no-report"]) == 0
    captured = capsys.readouterr()
    assert "warning: Model 'mobilenetv2-head' failed: FileNotFoundError: weights=" in captured.err
    assert "mobilenetv2-head" not in captured.out
    asked_for = ["--models", "cnn", "mobilenetv2-head"]
    assert main(["compare", *SMALL, "--no-report", *asked_for]) == 1


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"fashionkit {fashionkit.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "command"),
        (["compare", "--models", "lenet"], "unknown model 'lenet'; the nearest is "),
        (["compare", "--train-size", "0"], "'0' is not a whole number of at least 1"),
        (["compare", "--epochs", "-1"], "epochs"),
        (["compare", "--seed", "x"], "'x' is not a whole number from 0 to"),
        (["compare", "--full", "--test-size", "9"], "--full takes all images"),
        (["compare", "--modles", "cnn"], "--modles cnn; the nearest option is --models"),
        (["compare", "--data", "garmets"], "the nearest name is 'garments'"),
        (["compare", "--data", "Fashion-MNIST"], "the nearest name is 'fashion-mnist'"),
        (["compare", "--cv", "1"], "'1' is not a whole number of at least 2"),
        (["compare", "--tune", "0"], "'0' is not a whole number of at least 1"),
        (["compare", "--n-jobs", "two"], "'two' is not a whole number other than 0"),
        (["compare", "--n-jobs", "0"], "'0' is not a whole number other than 0"),
    ],
)
def test_arguments_that_mean_nothing_exit_with_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("hog-svn", "hog-svm"), ("HOG-SVM", "hog-svm"), ("cnn-fats", "cnn-fast")],
)
def test_an_unknown_model_is_one_line_with_the_nearest_name(given, nearest, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["compare", "--models", "hog-svm", given])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fashionkit compare: error: unknown model {given!r}; ")
    assert f"the nearest is {nearest!r}" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train-size", "201"], "train_size=201 is more than there are: the maximum"),
        (
            ["--test-size", "51"],
            "test_size=51 is more than there are: the maximum is 50",
        ),
        (["--test-size", "9"], "test_size=9 is less than one image for each of 10"),
        (["--data", "nowhere.csv"], "No such file or directory: 'nowhere.csv'"),
    ],
)
def test_errors_are_one_line_and_exit_with_1(small_data, quick, capsys, arguments, message):
    assert main(["compare", *SMALL, *arguments]) == 1
    line = one_error(capsys)
    assert message in line
    assert "Errno" not in line


def test_an_output_folder_that_cannot_be_written_fails_before_training(
    small_data, monkeypatch, tmp_path, capsys
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(fashionkit, "compare_models", lambda *_, **__: pytest.fail("trained"))
    assert main(["compare", *SMALL, "--output", str(tmp_path / "file" / "out")]) == 1
    assert "Cannot write to the folder" in one_error(capsys)


@pytest.mark.filterwarnings("default:Model .* failed")
def test_a_model_that_fails_is_told_and_the_others_written(small_data, quick, output, capsys):
    quick["hog-svm"] = DummyClassifier(strategy="constant", constant="x")
    assert main(["compare", *SMALL]) == 1
    captured = capsys.readouterr()
    assert "hog-svm  failed: " in captured.out
    assert "fashionkit: warning: Model 'hog-svm' failed: " in captured.err
    assert (output / "results.csv").exists()


@pytest.mark.filterwarnings("default:.*could not be written")
def test_results_are_kept_where_printing_them_fails(small_data, quick, output, monkeypatch):
    def broken(comparison):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(fashionkit.Comparison, "__str__", broken)
    assert main(["compare", *SMALL]) == 1
    assert (output / "results.csv").exists()


def test_ctrl_c_exits_with_130_in_one_line(small_data, quick, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fashionkit, "compare_models", interrupt)
    assert main(["compare", *SMALL]) == 130
    assert capsys.readouterr().err.strip() == "fashionkit: interrupted"


def made(name, *options):
    """Return what the command passes on for a model, and the arguments."""
    arguments = _parser().parse_args(["compare", *options])
    return compare._make_model(name, arguments, "memory")


def test_models_are_passed_on_by_their_names_unless_something_is_asked_of_them():
    for name in list_models():
        assert made(name) == name
    assert {"cnn", "mobilenetv2-head"} <= set(compare._DEFAULT_MODELS)
    assert set(compare._DEFAULT_MODELS) <= set(list_models())


@pytest.mark.parametrize(
    ("n_cores", "n_tasks", "n_jobs"), [(1, 6, 1), (2, 6, 2), (2, 1, 1), (64, 6, 4)]
)
def test_a_model_per_core_is_fitted_at_a_time_and_four_at_most(
    monkeypatch, n_cores, n_tasks, n_jobs
):
    monkeypatch.setattr("joblib.cpu_count", lambda: n_cores)
    assert compare._n_jobs(n_tasks) == n_jobs


def test_epochs_are_for_networks_alone():
    networks = {"hierarchical", "mobilenetv2", "mobilenetv2-head", "mobilenetv2-tuned"}
    for name in list_models():
        if name.startswith("cnn") or name in networks:
            assert made(name, "--epochs", "3")[0] == name
            assert made(name, "--epochs", "3")[1].epochs == 3
        else:
            assert made(name, "--epochs", "3") == name


def test_searches_have_the_seed_and_the_epochs():
    name, search = made("cnn-quick", "--tune", "4", "--epochs", "2", "--seed", "7")
    assert name == "cnn-quick"
    assert (search.n_iter, search.random_state) == (4, 7)
    assert (search.estimator.epochs, search.estimator.random_state) == (2, 7)
    assert made("hog-tree", "--tune")[1].n_iter == 20


@pytest.mark.parametrize("source", [None, "garments", "csv"])
def test_choice_repeats_with_its_seed_and_changes_with_it(small_data, csv, source):
    def choose(seed):
        return choose_images(
            csv if source == "csv" else source, train_size=50, test_size=20, seed=seed
        )

    first, again, other = choose(0), choose(0), choose(1)
    assert_array_equal(first.X, again.X)
    assert_array_equal(first.X_test, again.X_test)
    assert not np.array_equal(first.X, other.X)
    assert_array_equal(np.bincount(first.y), [5] * 10)
    assert_array_equal(np.bincount(first.y_test), [2] * 10)
    assert first.target_names == list(CLASS_NAMES)
    rows = {image.tobytes() for image in first.X}
    assert not any(image.tobytes() in rows for image in first.X_test)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({}, (100, 20)),
        ({"full": True}, (100, 20)),
        ({"train_size": 110}, (110, 10)),
        ({"test_size": 50}, (70, 50)),
        ({"train_size": 30, "test_size": 30}, (30, 30)),
    ],
)
def test_sizes_of_a_split_file(csv, sizes, expected):
    choice = choose_images(csv, **sizes)
    assert (len(choice.X), len(choice.X_test)) == expected


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"train_size": 111}, "test_size=9 is less than one image"),
        ({"train_size": 100, "test_size": 30}, "train_size=100 .* maximum is 90"),
        ({"test_size": 111}, "test_size=111 .* maximum is 110"),
    ],
)
def test_sizes_that_a_file_has_not(csv, sizes, message):
    with pytest.raises(ValueError, match=message):
        choose_images(csv, **sizes)


def test_sizes_have_defaults(small_data, monkeypatch):
    monkeypatch.setattr(_choose, "DEFAULT_TRAIN_SIZE", 70)
    monkeypatch.setattr(_choose, "DEFAULT_TEST_SIZE", 30)
    choice = choose_images()
    assert (len(choice.X), len(choice.X_test)) == (70, 30)
    choice = choose_images("garments")
    assert (len(choice.X), len(choice.X_test)) == (70, 30)


def test_stratified_order_has_every_class_in_every_run():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    order = stratified_order(y, np.random.RandomState(0))
    assert_array_equal(np.sort(order), np.arange(100))
    for start in range(0, 100, 20):
        counts = np.bincount(y[order[start : start + 20]], minlength=3)
        assert np.abs(counts - [12, 6, 2]).max() <= 1
