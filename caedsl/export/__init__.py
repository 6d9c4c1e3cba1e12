"""Export a trained run: ONNX, torch.export, and a folder to share."""
