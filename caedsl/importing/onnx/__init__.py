"""ONNX models, translated to the operators of PyTorch."""
