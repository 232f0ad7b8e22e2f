"""Writes the files of this folder with Keras, and its answers to them: `KERAS_BACKEND=jax python make.py`.

They were written by Keras 3.15.1 with h5py 3.16.0 and NumPy 2.4.6, on the backend jax 0.10.2. Keras is no dependency of the
project, so the files are kept; most of their bytes are zeros, which are compressed away.
"""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers as k

HERE = Path(__file__).parent
random = np.random.default_rng(19)


def images() -> Any:
    """Return convolutions whose sides need padding, pooling, batch normalisation, and a flatten before a dense layer."""
    return keras.Sequential(
        [
            keras.Input((7, 5, 2)),
            k.Rescaling(1 / 4),
            k.Conv2D(3, (3, 5), padding="same", activation="relu", name="first conv"),
            k.BatchNormalization(),
            k.MaxPooling2D(3, strides=2, padding="same"),
            k.Conv2D(4, 2, strides=(1, 1), use_bias=False),
            k.LeakyReLU(negative_slope=0.2),
            k.Flatten(),
            k.Dropout(0.5),
            k.Dense(5, activation="elu"),
            k.Dense(3, activation="softmax"),
        ]
    )


def branches() -> Any:
    """Return a graph with two inputs, arithmetic, and layers that need Keras' own order of the axes."""
    image, vector = keras.Input((6, 6, 2), name="image"), keras.Input((4,), name="vector")
    x = k.Conv2D(4, 3, strides=2, padding="valid", dilation_rate=1, groups=2, activation="tanh")(image)
    y = k.Conv2D(4, 1)(k.AveragePooling2D(2, strides=2)(image))
    y = k.ReLU()(y)
    z = k.LayerNormalization()(k.AveragePooling2D(1)(y))
    pooled = k.GlobalAveragePooling2D()(z)
    pixels = k.Reshape((9, 4))(y)
    last = k.SimpleRNN(4)(pixels)
    v = k.Dense(4, activation="gelu")(vector)
    joined = k.Concatenate()([pooled, k.Multiply()([last, v]), k.Subtract()([v, pooled]), k.Flatten()(x)])
    return keras.Model([image, vector], k.Softmax()(k.Dense(3)(joined)))


def words() -> Any:
    """Return recurrent layers of both kinds, and a convolution over time."""
    return keras.Sequential(
        [
            keras.Input((5,)),
            k.Embedding(11, 4),
            k.Conv1D(3, 2, activation="silu"),
            k.LSTM(3, return_sequences=True),
            k.GRU(4, return_sequences=True),
            k.GRU(3, reset_after=False),
            k.Dense(2),
        ]
    )


def drawn(model: Any) -> Any:
    """Give every weight a number that Keras does not begin with, so that none can be mistaken for another."""
    for weight in model.weights:
        if weight.dtype == "float32":
            spread = random.uniform(0.5, 1.5, weight.shape)
            weight.assign(spread if "variance" in weight.name else spread * random.choice([-1, 1], weight.shape) / 2)
    return model


def main() -> None:
    """Write every file, and the inputs and outputs in Keras' own layout."""
    answers: dict[str, Any] = {}
    cases: list[tuple[str, Any, list[Any]]] = [
        ("images", drawn(images()), [random.normal(size=(4, 7, 5, 2))]),
        ("branches", drawn(branches()), [random.normal(size=(3, 6, 6, 2)), random.normal(size=(3, 4))]),
        ("words", drawn(words()), [random.integers(0, 11, (3, 5))]),
    ]
    for name, model, inputs in cases:
        model.save(HERE / f"{name}.keras")
        if name != "branches":
            model.save(HERE / f"{name}.h5")
            model.save_weights(HERE / f"{name}.weights.h5")
        given = [x.astype(np.int32 if name == "words" else np.float32) for x in inputs]
        answers |= {f"{name}.input{number}": x for number, x in enumerate(given)}
        answers[f"{name}.output"] = np.asarray(model(given if len(given) > 1 else given[0], training=False))
    for path in HERE.glob("*.keras"):
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    for path in HERE.glob("*.h5"):
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()
    np.savez_compressed(HERE / "answers.npz", **answers)


if __name__ == "__main__":
    main()
