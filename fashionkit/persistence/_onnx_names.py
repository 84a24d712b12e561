"""What the inputs, outputs and metadata of our files of ONNX are called."""

IMAGES, LABEL, PROBABILITIES, METADATA = "images", "label", "probabilities", "fashionkit"
