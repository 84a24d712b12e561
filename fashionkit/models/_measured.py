"""What the models reach on Fashion-MNIST: the figures of the documentation."""

# What the columns of the table below are called. They are those of "The comparison, on all images"
# in docs/benchmarks.rst.
FIGURES = ("accuracy", "cpu_minutes", "predict_cpu_ms", "megabytes")

# Test accuracy in per cent, CPU seconds of training, CPU milliseconds per image of predicting all
# test images together, and megabytes of the fitted model.
MEASURED: dict[str, tuple[float, float, float, float]] = {
    "cnn": (91.20, 457, 0.18, 0.4),
    "cnn-quick": (90.56, 22, 0.07, 0.2),
    "cnn-fast": (94.01, 1893, 1.86, 1.2),
    "cnn-strong": (94.62, 7743, 10.24, 2.6),
    "hierarchical": (94.22, 4265, 9.46, 2.8),
    "mobilenetv2": (87.78, 8602, 6.07, 14.9),
    "mobilenetv2-head": (92.55, 186, 1.99, 3.0),
    "mobilenetv2-tuned": (94.51, 3526, 3.24, 2.6),
    "hog-nystroem": (93.38, 170, 0.17, 10.9),
    "hog-fast": (92.70, 46, 0.21, 6.7),
    "hog-quick": (91.91, 15, 0.09, 2.5),
    "invariant-svm": (95.04, 2397, 39.77, 304.7),
    "best": (95.30, 10140, 52.68, 307.3),
    "best-fast": (95.12, 4290, 40.82, 305.9),
    "hog-svm": (93.70, 175, 0.87, 29.9),
    "hog-knn": (90.54, 38, 0.96, 51.0),
    "hog-tree": (82.31, 280, 0.07, 0.2),
    "hog-forest": (89.94, 993, 0.22, 242.0),
    "sift-svm": (92.75, 162, 0.90, 26.1),
    "sift-knn": (89.17, 62, 1.34, 51.2),
    "sift-tree": (82.81, 384, 0.53, 0.3),
    "sift-forest": (89.76, 1266, 0.64, 215.5),
    "color-svm": (48.98, 219, 1.04, 10.3),
    "color-knn": (46.32, 1, 0.30, 4.3),
    "color-tree": (41.56, 2, 0.01, 0.5),
    "color-forest": (50.16, 40, 0.08, 995.5),
    "pixels-svm": (90.40, 153, 0.55, 31.1),
    "pixels-knn": (86.32, 4, 0.86, 49.1),
    "pixels-tree": (80.50, 28, 0.00, 0.3),
    "pixels-forest": (87.94, 196, 0.13, 286.1),
    "mobilenetv2-svm": (94.24, 663, 5.17, 108.0),
    "mobilenetv2-knn": (91.68, 373, 5.70, 62.7),
    "mobilenetv2-tree": (84.62, 1125, 5.73, 2.7),
    "mobilenetv2-forest": (91.04, 1835, 5.92, 202.4),
    "mobilenetv2+hog-svm": (94.62, 679, 6.05, 136.3),
    "mobilenetv2+hog-knn": (92.53, 421, 6.39, 89.2),
    "mobilenetv2+hog-tree": (82.50, 511, 6.38, 40.3),
    "mobilenetv2+hog-forest": (90.17, 906, 6.24, 386.1),
}
