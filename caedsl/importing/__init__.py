"""Foreign models: Keras, ONNX and PyTorch networks become specs with the same weights."""
