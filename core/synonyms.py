"""Other names of layers, activation functions, losses, optimizers, conventions and fields: those of textbooks and libraries.

A refusal of an unknown name suggests the first of its synonyms that is valid in that place.
"""

from __future__ import annotations

from collections.abc import Iterable

_LAYERS = {
    "linear": "dense",
    "fc": "dense",
    "fully_connected": "dense",
    "affine": "dense",
    "gemm": "dense",
    "conv": "conv2d",
    "convolution": "conv2d",
    "convolution1d": "conv1d",
    "convolution2d": "conv2d",
    "deconv": "conv_transpose2d",
    "deconvolution": "conv_transpose2d",
    "conv_transpose": "conv_transpose2d",
    "conv2d_transpose": "conv_transpose2d",
    "conv1d_transpose": "conv_transpose1d",
    "zero_padding2d": "pad",
    "zero_pad2d": "pad",
    "reflection_pad2d": "pad",
    "replication_pad2d": "pad",
    "resize": "upsample",
    "interpolate": "upsample",
    "up_sampling2d": "upsample",
    "up_sampling1d": "upsample",
    "maxpool": "max_pool2d",
    "max_pool": "max_pool2d",
    "max_pooling2d": "max_pool2d",
    "avgpool": "average_pool2d",
    "avg_pool": "average_pool2d",
    "avg_pool2d": "average_pool2d",
    "average_pool": "average_pool2d",
    "average_pooling2d": "average_pool2d",
    "global_avg_pool": "global_average_pool",
    "global_avg_pool2d": "global_average_pool",
    "global_average_pooling2d": "global_average_pool",
    "batch_normalization": "batch_norm",
    "batch_norm1d": "batch_norm",
    "batch_norm2d": "batch_norm",
    "layer_normalization": "layer_norm",
    "rms_normalization": "rms_norm",
    "group_normalization": "group_norm",
    "instance_norm": "group_norm",
    "instance_normalization": "group_norm",
    "instance_norm2d": "group_norm",
    "crop": "slice",
    "narrow": "slice",
    "select": "slice",
    "strided_slice": "slice",
    "max": "reduce_max",
    "amax": "reduce_max",
    "min": "reduce_min",
    "amin": "reduce_min",
    "lrn": "local_response_norm",
    "simple_rnn": "rnn",
    "parametric_relu": "prelu",
    "p_re_lu": "prelu",
    "affine_channel": "scale",
    "attention": "multi_head_attention",
    "mha": "multi_head_attention",
    "concat": "concatenate",
    "cat": "concatenate",
    "sum": "reduce_sum",
    "mean": "reduce_mean",
    "mul": "multiply",
    "sub": "subtract",
    "permute": "transpose",
    "view": "reshape",
    "eig": "eigh",
}
_FUNCTIONS = {
    "linear": "identity",
    "none": "identity",
    "logits": "identity",
    "logistic": "sigmoid",
    "expit": "sigmoid",
    "sigm": "sigmoid",
    "logsig": "sigmoid",
    "tansig": "tanh",
    "purelin": "identity",
    "poslin": "relu",
    "rectifier": "relu",
    "swish": "silu",
    "lrelu": "leaky_relu",
    "leaky": "leaky_relu",
    "sine": "sin",
    "exponential": "exp",
    "ln": "log",
    "negative": "negate",
    "neg": "negate",
    "pow": "power",
    "absolute": "abs",
    "inverse": "reciprocal",
    "square_root": "sqrt",
    "relu6": "clip",
    "hard_tanh": "clip",
    "hardtanh": "clip",
    "clamp": "clip",
    "error_function": "erf",
    "h_swish": "hard_swish",
}
_LOSSES = {
    "mse": "mean_squared_error",
    "l2": "mean_squared_error",
    "squared_error": "mean_squared_error",
    "quadratic": "half_squared_error",
    "sse": "half_squared_error",
    "mae": "mean_absolute_error",
    "l1": "mean_absolute_error",
    "bce": "binary_cross_entropy",
    "logistic": "binary_cross_entropy",
    "log_loss": "binary_cross_entropy",
    "bce_with_logits": "sigmoid_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "cce": "cross_entropy",
    "ce": "cross_entropy",
    "xent": "cross_entropy",
    "crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "categorical_cross_entropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "sparse_categorical_cross_entropy": "cross_entropy",
    "nll": "cross_entropy",
    "negative_log_likelihood": "cross_entropy",
    "cross_entropy_loss": "softmax_cross_entropy",
    "softmax": "softmax_cross_entropy",
    "kl": "kullback_leibler",
    "kld": "kullback_leibler",
    "kl_div": "kullback_leibler",
    "kl_divergence": "kullback_leibler",
    "smooth_l1": "huber",
    "svm": "hinge",
    "vjp": "upstream",
}
_OPTIMIZERS = {
    "gd": "sgd",
    "gradient_descent": "sgd",
    "momentum": "sgd",
    "nesterov": "sgd",
    "adam_w": "adamw",
    "rms": "rmsprop",
}
_CONVENTIONS = {
    "keras": "row",
    "tensorflow": "row",
    "numpy": "row",
    "sklearn": "row",
    "scikit_learn": "row",
    "batch_first": "row",
    "pytorch": "torch",
    "matlab": "column",
    "octave": "column",
    "textbook": "column",
    "julia": "column",
}
_FIELDS = {
    "batch": "data",
    "data": "batch",
    "x": "inputs",
    "y": "targets",
    "labels": "targets",
    "w": "weight",
    "kernel": "weight",
    "b": "bias",
    "scale": "gamma",
    "shift": "beta",
    "type": "kind",
    "lr": "learning_rate",
    "neurons": "units",
    "out_features": "units",
    "out_channels": "filters",
    "p": "drop_probability",
    "rate": "drop_probability",
    "eps": "epsilon",
    "num_heads": "heads",
    "n_epochs": "epochs",
    "single": "float32",
    "double": "float64",
}
_TABLES = (_LAYERS, _FUNCTIONS, _LOSSES, _OPTIMIZERS, _CONVENTIONS, _FIELDS)


def synonym(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name that a known name stands for, or None.

    Case, hyphens, blanks and underscores do not count: `Conv2D` is conv2d, `MaxPool2d` is max_pool2d, `MSELoss` is mse.
    """
    plain = {_plain(word): word for word in valid if _plain(word)}
    key = _plain(name)
    for spelling in (key, key.removesuffix("loss"), key.removesuffix("layer")):
        if spelling in plain:
            return plain[spelling]
        for table in _PLAIN_TABLES:
            if _plain(table.get(spelling, "")) in plain:
                return plain[_plain(table[spelling])]
    return None


def _plain(name: str) -> str:
    """A name in lower case, letters and digits alone."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


_PLAIN_TABLES = [{_plain(name): word for name, word in table.items()} for table in _TABLES]
