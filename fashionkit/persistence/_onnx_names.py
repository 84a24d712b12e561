"""What the inputs, outputs and metadata of our ONNX files are called."""

IMAGES, LABEL, PROBABILITIES, METADATA = "images", "label", "probabilities", "fashionkit"
