"""Layers: one kind a file, registered in `AnyLayer`."""

from __future__ import annotations

from typing import get_args

from core.layers.activation import ActivationLayer
from core.layers.add import Add
from core.layers.average_pool2d import AveragePool2D
from core.layers.base import Layer
from core.layers.batch_norm import BatchNorm
from core.layers.concatenate import Concatenate
from core.layers.conv1d import Conv1D
from core.layers.conv2d import Conv2D
from core.layers.conv_transpose1d import ConvTranspose1D
from core.layers.conv_transpose2d import ConvTranspose2D
from core.layers.dense import Dense
from core.layers.dropout import Dropout
from core.layers.eigh import Eigh
from core.layers.embedding import Embedding
from core.layers.flatten import Flatten
from core.layers.global_average_pool import GlobalAveragePool
from core.layers.group_norm import GroupNorm
from core.layers.gru import Gru
from core.layers.layer_norm import LayerNorm
from core.layers.local_response_norm import LocalResponseNorm
from core.layers.lstm import Lstm
from core.layers.matmul import Matmul
from core.layers.matrix_log import MatrixLog
from core.layers.matrix_power import MatrixPower
from core.layers.max_pool2d import MaxPool2D
from core.layers.multi_head_attention import MultiHeadAttention
from core.layers.multiply import Multiply
from core.layers.pad import Pad
from core.layers.prelu import Prelu
from core.layers.reduce_max import ReduceMax
from core.layers.reduce_mean import ReduceMean
from core.layers.reduce_min import ReduceMin
from core.layers.reduce_sum import ReduceSum
from core.layers.reshape import Reshape
from core.layers.rms_norm import RmsNorm
from core.layers.rnn import Rnn
from core.layers.scale import Scale
from core.layers.second_order_pooling import SecondOrderPooling
from core.layers.slice import Slice
from core.layers.subtract import Subtract
from core.layers.svd import Svd
from core.layers.transpose import Transpose
from core.layers.upsample import Upsample
from core.parameters import Parameter

AnyLayer = (
    Dense
    | ActivationLayer
    | Prelu
    | Flatten
    | Reshape
    | Add
    | Subtract
    | Multiply
    | Concatenate
    | Slice
    | Matmul
    | Transpose
    | ReduceSum
    | ReduceMean
    | ReduceMax
    | ReduceMin
    | Conv1D
    | Conv2D
    | ConvTranspose1D
    | ConvTranspose2D
    | MaxPool2D
    | AveragePool2D
    | GlobalAveragePool
    | Pad
    | Upsample
    | BatchNorm
    | LayerNorm
    | GroupNorm
    | LocalResponseNorm
    | RmsNorm
    | Scale
    | Dropout
    | Embedding
    | Rnn
    | Lstm
    | Gru
    | MultiHeadAttention
    | Svd
    | Eigh
    | MatrixLog
    | MatrixPower
    | SecondOrderPooling
)
"""Every kind of layer. The request schema, the documentation, the clients and the generic tests follow from it."""

KINDS: dict[str, type[Layer]] = {layer.__dataclass_fields__["kind"].default: layer for layer in get_args(AnyLayer)}

__all__ = ["KINDS", "AnyLayer", "Layer", "Parameter"]
