"""File formats of models: export to and import from safetensors, npz, ONNX and JSON."""
