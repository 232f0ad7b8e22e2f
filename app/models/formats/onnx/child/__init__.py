"""The child process that reads ONNX files: it can fail, and be limited in memory and time, without affecting the service.

It imports NumPy, onnx and safetensors, and nothing of the service but this package. No file is opened but the standard
streams, even if the model names one.
"""
