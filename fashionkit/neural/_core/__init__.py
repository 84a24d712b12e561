"""What all neural classifiers share: from validated images to a trained network and back."""
