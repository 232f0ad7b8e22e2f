"""Models as files: safetensors, npz, ONNX and JSON, out and in."""
