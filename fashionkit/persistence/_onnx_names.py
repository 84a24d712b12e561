"""Names of the inputs, outputs and metadata of ONNX files."""

IMAGES, LABEL, PROBABILITIES, METADATA = "images", "label", "probabilities", "fashionkit"
