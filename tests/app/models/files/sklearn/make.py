"""Write the perceptrons of this folder, where scikit-learn (1.9) and skl2onnx (1.20) are installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent


def main() -> None:
    """Write a file for each perceptron, and its inputs and predictions as npz."""
    networks: Any = importlib.import_module("sklearn.neural_network")
    pipeline: Any = importlib.import_module("sklearn.pipeline")
    preprocessing: Any = importlib.import_module("sklearn.preprocessing")
    skl2onnx: Any = importlib.import_module("skl2onnx")
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    three, two = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0), (X[:, 0] > 0).astype(int)
    perceptron, regressor = networks.MLPClassifier, networks.MLPRegressor
    hidden = {"hidden_layer_sizes": (6,), "max_iter": 30, "random_state": 0}
    made = {
        "three_classes": (perceptron(activation="tanh", **hidden), three),
        "two_classes": (perceptron(**hidden), two),
        "regressor": (regressor(activation="logistic", **hidden), X[:, 0]),
        "scaled": (pipeline.make_pipeline(preprocessing.StandardScaler(), perceptron(**hidden)), three),
    }
    for name, (model, targets) in made.items():
        model.fit(X, targets)
        options = {"options": {"zipmap": False}} if hasattr(model, "predict_proba") else {}
        content = skl2onnx.to_onnx(model, X[:1], **options).SerializeToString()
        (FOLDER / f"{name}.onnx").write_bytes(content)
        found = model.predict_proba(X) if options else model.predict(X).reshape(-1, 1)
        np.savez(FOLDER / f"{name}.npz", X=X[:5], Z=found[:5])


if __name__ == "__main__":
    main()
