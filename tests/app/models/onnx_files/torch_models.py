"""Networks of torch and their exports.

`python -m tests.app.models.onnx_files.torch_models` writes tests/app/models/files/torch.
"""

from __future__ import annotations

import importlib
import io
import logging
import warnings
from typing import Any

import numpy as np

from core.arrays import Array
from tests import ROOT

FOLDER = ROOT / "tests" / "app" / "models" / "files" / "torch"
WAYS = ("dynamo", "dynamo fixed", "script", "script fixed")
"""Both exporters of torch, for any number of examples and for two."""

WRITTEN = {
    "convolutions": "dynamo",
    "residual": "script",
    "sequence": "script",
    "lstm": "dynamo",
    "both_ways": "script",
    "transformer": "dynamo",
    "segmentation": "script",
}
"""The files that are committed, and how each was exported."""


def networks() -> dict[str, tuple[Any, tuple[int, ...]]]:
    """The networks, and the shape of an example of each."""
    torch: Any = importlib.import_module("torch")
    nn: Any = torch.nn
    torch.manual_seed(0)

    class Recurrent(nn.Module):  # type: ignore[misc]
        def __init__(self, kind: Any, last: str, *, both: bool) -> None:
            super().__init__()
            self.last, self.both = last, both
            self.layer = kind(5, 4, batch_first=True, bidirectional=both)
            self.head = nn.Linear(8 if both else 4, 3)

        def forward(self, X: Any) -> Any:
            every, state = self.layer(X)
            state = state[0] if isinstance(state, tuple) else state
            if self.last == "state":
                every = torch.cat([state[-2], state[-1]], 1) if self.both else state[-1]
            return self.head(every[:, -1] if self.last == "step" else every)

    class Residual(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.Conv2d(6, 6, 3, padding=1, bias=False)
            self.norms = nn.ModuleList([nn.BatchNorm2d(6), nn.BatchNorm2d(6)])
            self.across, self.head, self.pool = nn.Conv2d(3, 6, 1), nn.Linear(6, 4), nn.AdaptiveAvgPool2d(1)
            for norm in self.norms:
                norm.running_mean.normal_()
                norm.running_var.uniform_(0.5, 2)

        def forward(self, X: Any) -> Any:
            inner = self.norms[1](self.two(torch.relu(self.norms[0](self.one(X)))))
            return self.head(torch.flatten(self.pool(torch.relu(inner + self.across(X))), 1))

    class Segmentation(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
            self.up, self.out = nn.ConvTranspose2d(4, 4, 2, 2), nn.Conv2d(11, 2, 1)
            self.wide = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)

        def forward(self, X: Any) -> Any:
            low = self.down(X)
            return self.out(torch.cat([self.up(low), self.wide(low), X], 1))

    lenet = nn.Sequential(
        *(nn.Conv2d(1, 4, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(4, 6, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(54, 20), nn.Tanh(), nn.Linear(20, 10)),
    )
    sequence = nn.Sequential(
        *(nn.Conv1d(4, 6, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(6, 6, 3, stride=2), nn.GELU()),
        *(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 3)),
    )
    nearest = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Upsample(scale_factor=2, mode="nearest"))
    return {
        "convolutions": (lenet, (1, 20, 20)),
        "residual": (Residual(), (3, 8, 8)),
        "sequence": (sequence, (4, 20)),
        "lstm": (Recurrent(nn.LSTM, "step", both=False), (6, 5)),
        "lstm_state": (Recurrent(nn.LSTM, "state", both=False), (6, 5)),
        "both_ways": (Recurrent(nn.LSTM, "state", both=True), (6, 5)),
        "both_ways_every": (Recurrent(nn.LSTM, "every", both=True), (6, 5)),
        "gru": (Recurrent(nn.GRU, "step", both=False), (6, 5)),
        "gru_both_ways": (Recurrent(nn.GRU, "every", both=True), (6, 5)),
        "transformer": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0), (5, 8)),
        "segmentation": (Segmentation(), (3, 8, 8)),
        "upsampling": (nearest, (3, 6, 6)),
    }


def exported(name: str, way: str) -> tuple[bytes, dict[str, Array]]:
    """The file of a network, and what torch computes: X, Z, the upstream dZ, and parameters with their gradients."""
    torch: Any = importlib.import_module("torch")
    logging.disable(logging.WARNING)
    network, shape = networks()[name]
    network.eval()
    for parameter in network.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter)  # Two norms of ones could not be told apart.
    X = torch.randn(2, *shape)
    examples = torch.export.Dim("n")
    # Both exporters fold batch norms into convolutions; one can be told not to.
    mode = torch.onnx.TrainingMode
    training = mode.PRESERVE if name == "residual" else mode.EVAL
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if way.startswith("dynamo"):
            dynamic = None if way.endswith("fixed") else ({0: examples},)
            content = torch.onnx.export(network, (X,), dynamo=True, dynamic_shapes=dynamic, verbose=False)
            file.write(content.model_proto.SerializeToString())
        else:
            more = {} if way.endswith("fixed") else {"dynamic_axes": {"x": {0: "n"}}}
            torch.onnx.export(
                network, (X,), file, dynamo=False, opset_version=17, input_names=["x"], training=training, **more
            )
    network.double()
    Z = network(X.double())
    dZ = torch.randn_like(Z)
    Z.backward(dZ)
    tensors = {"X": X.double(), "Z": Z.detach(), "dZ": dZ}
    for parameter_name, parameter in network.named_parameters():
        tensors |= {parameter_name: parameter.detach(), f"d {parameter_name}": parameter.grad}
    return file.getvalue(), {key: tensor.numpy() for key, tensor in tensors.items()}


def without_traces(content: bytes) -> bytes:
    """The file without the stack traces of Python that an exporter writes to its nodes."""
    onnx: Any = importlib.import_module("onnx")
    model = onnx.load_from_string(content)
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    return bytes(model.SerializeToString())


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, way in WRITTEN.items():
        content, arrays = exported(name, way)
        content = without_traces(content)
        (FOLDER / f"{name}.onnx").write_bytes(content)
        np.savez_compressed(FOLDER / f"{name}.npz", **{key: array.astype(np.float32) for key, array in arrays.items()})  # type: ignore[arg-type]
        print(f"{len(content):7,} bytes {name}.onnx ({way})")


if __name__ == "__main__":
    main()
