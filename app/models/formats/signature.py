"""The format of a file, told by its first bytes, and the line that converts what is not read here."""

from __future__ import annotations

import zipfile
from collections.abc import Collection

from app.wire.file_content import FileContent, opened
from core.errors import Refusal

TO_NPZ = (
    "numpy.savez('model.npz', **{f'coefs_{i}': w for i, w in enumerate(m.coefs_)}, **{f'intercepts_{i}': b for i, b in "
)
TO_NPZ += "enumerate(m.intercepts_)}, activation=m.activation, out_activation_=m.out_activation_)"
FROM_TORCH = """python -c "import torch; from safetensors.torch import save_file; m = torch.load('model.pt', \
map_location='cpu', weights_only=True); save_file({k: v.clone() for k, v in m.get('state_dict', m).items()}, \
'model.safetensors')\""""

FOREIGN = {
    "torch": ("a file of torch.save, which is a pickle", FROM_TORCH),
    "torchscript": (
        "a TorchScript model",
        """python -c "import torch; from safetensors.torch import save_file; save_file({k: v.clone() for k, v in \
torch.jit.load('model.pt', map_location='cpu').state_dict().items()}, 'model.safetensors')\"""",
    ),
    "pickle": (
        "a pickle",
        f"""python -c "import numpy, pickle; m = pickle.load(open('model.pkl', 'rb')); {TO_NPZ}\"""",
    ),
    "joblib": (
        "a file of joblib, which is a pickle",
        f"""python -c "import numpy, joblib; m = joblib.load('model.joblib'); \
{TO_NPZ}\"""",
    ),
    "mat": (
        "a MATLAB file",
        """python -c "import numpy, scipy.io; numpy.savez('model.npz', **{k: v for k, v in \
scipy.io.loadmat('model.mat').items() if k[0] != '_'})\"""",
    ),
    "mat73": (
        "a MATLAB 7.3 file",
        """python -c "import h5py, numpy; f = h5py.File('model.mat'); numpy.savez('model.npz', **{k: f[k][()].T for k in f \
if k[0] != '#'})\"""",
    ),
    "savedmodel": (
        "a protocol buffer of TensorFlow",
        "python -m tf2onnx.convert --saved-model FOLDER_OF_THE_MODEL --output model.onnx",
    ),
    "graphdef": (
        "a frozen graph of TensorFlow",
        "python -m tf2onnx.convert --graphdef model.pb --inputs INPUT:0 --outputs OUTPUT:0 --output model.onnx",
    ),
    "tflite": ("a TensorFlow Lite model", "python -m tf2onnx.convert --tflite model.tflite --output model.onnx"),
    "gguf": (
        "a GGUF file",
        """python -c "import gguf, numpy; from safetensors.numpy import save_file; save_file({t.name: \
numpy.ascontiguousarray(t.data) for t in gguf.GGUFReader('model.gguf').tensors}, 'model.safetensors')\"""",
    ),
    "npy": (
        "a single array",
        """python -c "import numpy; numpy.savez('model.npz', **{'1.weight': numpy.load('model.npy')})\"""",
    ),
    "gzip": ("compressed with gzip", "gunzip model.gz"),
}
"""Formats that are not read: what they are in words, and the line that makes a file of them which is read."""

_BEGINNINGS = [
    (b"\x89HDF\r\n\x1a\n", "keras"),
    (b"GGUF", "gguf"),
    (b"\x93NUMPY", "npy"),
    (b"\x1f\x8b", "gzip"),
    (b"MATLAB 7.3 MAT-file", "mat73"),
    (b"MATLAB 5.0 MAT-file", "mat"),
    (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "torch"),
    *(
        (bytes([0x78, level]), "joblib") for level in (0x01, 0x5E, 0x9C, 0xDA)
    ),  # Compressed, as joblib.dump(..., compress=3).
]


def recognise(body: FileContent) -> str | None:
    """Return the format of a file: one that is read, a key of `FOREIGN`, `text`, or None where the bytes do not tell."""
    head = body[:4096]
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _archive(body)
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "joblib" if b"joblib" in head else "pickle"
    if head[4:8] == b"TFL3":
        return "tflite"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= len(body) - 8:
        return "safetensors"
    if head.lstrip()[:1] == b"{":
        return "json"
    if head[:1] == b"\x0a" and any(word in head for word in (b"\x12\x0bPlaceholder", b"\x12\x05Const")):
        return "graphdef"
    if head.startswith(b"\x08\x01\x12") and body.find(b'"\x05serve') >= 0:
        return "savedmodel"
    if head[:1] == b"\x08" and 0 < int.from_bytes(head[1:2]) < 64:
        return "onnx"
    if head and all(byte >= 32 or byte in b"\t\r\n" for byte in head) and _is_utf8(head):
        return "text"
    return None


def _archive(body: FileContent) -> str | None:
    try:
        with zipfile.ZipFile(opened(body)) as archive:
            names = [member.filename for member in archive.infolist()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    last = {name.rpartition("/")[2] for name in names}
    if "model.weights.h5" in last:
        return "keras"
    if "data.pkl" in last:
        return "torchscript" if "constants.pkl" in last else "torch"
    return "npz" if all(name.endswith(".npy") for name in names) else None


def _is_utf8(head: bytes) -> bool:
    try:
        head[: head.rfind(b"\n") + 1 or len(head)].decode()
    except UnicodeDecodeError:
        return False
    return True


def choose_format(body: FileContent, asked: str | None, known: Collection[str]) -> str:
    """Return the format of a file: the one that the request names, or the one that the first bytes tell.

    Raises:
        Refusal: `invalid-request`, if the bytes tell another format than the request, or one that is not read, or none.
    """
    found = recognise(body)
    if found in FOREIGN:
        what, line = FOREIGN[found]
        note = "" if found == "gzip" else " Nothing is unpickled here." if "pickle" in what else ""
        hint = f"Convert it: {line}"
        if found == "gzip":
            hint += ", or send it with the header Content-Encoding: gzip"
        if found == "torch":
            hint += ". If the file holds a whole module, save its state_dict() where its class is."
        raise Refusal.of(
            "unsupported-operator", f"The file is {what}, which is not read.{note}", "query", "format", hint=hint
        )
    if asked is not None and (found is None or found == asked):
        return asked
    path = ("query", "format")
    if found == "text":
        detail = "The file is text, and no model."
        hint = "A table of examples is a dataset: POST /v1/datasets?format=csv."
        raise Refusal.of("invalid-request", detail, *path, expected=list(known), hint=hint)
    if found is None:
        detail = "The first bytes of the file do not tell its format."
        raise Refusal.of("invalid-request", detail, *path, expected=list(known), hint="Name it as ?format=.")
    if asked is None:
        return found
    detail = f"The file is {found}, and not {asked}."
    raise Refusal.of("invalid-request", detail, *path, expected=found, got=asked, hint=f"Send ?format={found}.")
