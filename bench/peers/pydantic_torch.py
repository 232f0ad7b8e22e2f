"""The service that most people would write for the gradients of two networks: FastAPI, pydantic with lists, and torch.

It computes in float64, as gradd does by default, and returns the same parts as gradd.
"""

from __future__ import annotations

import torch
from fastapi import FastAPI
from pydantic import BaseModel
from torch.nn import functional

Matrix = list[list[float]]

app = FastAPI()


class Layer(BaseModel):
    """The parameters of a layer, or their gradients."""

    weight: Matrix
    bias: list[float]


class Regression(BaseModel):
    """A network with tanh and sigmoid, its examples and what they should give."""

    layers: list[Layer]
    inputs: Matrix
    targets: Matrix


class Classification(BaseModel):
    """A network with relu and softmax, its examples and the numbers of their classes."""

    layers: list[Layer]
    inputs: Matrix
    targets: list[int]


class Answer(BaseModel):
    """The results of the forward and the backward pass."""

    loss: float
    output: Matrix
    activations: list[Matrix]
    deltas: list[Matrix]
    gradients: list[Layer]


class Network:
    """Two layers that were sent, and what the backward pass leaves in them."""

    def __init__(self, layers: list[Layer]) -> None:
        self.weights = [torch.tensor(layer.weight, dtype=torch.float64, requires_grad=True) for layer in layers]
        self.biases = [torch.tensor(layer.bias, dtype=torch.float64, requires_grad=True) for layer in layers]
        self.preactivations: list[torch.Tensor] = []

    def layer(self, position: int, inputs: torch.Tensor) -> torch.Tensor:
        """Return what a layer makes of its inputs, before its activation function."""
        z = inputs @ self.weights[position] + self.biases[position]
        z.retain_grad()
        self.preactivations.append(z)
        return z

    def answer(self, loss: torch.Tensor, activations: list[torch.Tensor]) -> Answer:
        """Run the backward pass and return everything as lists."""
        loss.backward()
        return Answer(
            loss=loss.item(),
            output=activations[-1].tolist(),
            activations=[a.tolist() for a in activations],
            deltas=[z.grad.tolist() for z in self.preactivations],
            gradients=[
                Layer(weight=weight.grad.tolist(), bias=bias.grad.tolist())
                for weight, bias in zip(self.weights, self.biases, strict=True)
            ],
        )


@app.post("/regression")
def regression(request: Regression) -> Answer:
    """Gradients of half the squared error."""
    network = Network(request.layers)
    hidden = torch.tanh(network.layer(0, torch.tensor(request.inputs, dtype=torch.float64)))
    output = torch.sigmoid(network.layer(1, hidden))
    loss = 0.5 * ((output - torch.tensor(request.targets, dtype=torch.float64)) ** 2).sum()
    return network.answer(loss, [hidden, output])


@app.post("/classification")
def classification(request: Classification) -> Answer:
    """Gradients of the mean cross-entropy."""
    network = Network(request.layers)
    hidden = torch.relu(network.layer(0, torch.tensor(request.inputs, dtype=torch.float64)))
    logits = network.layer(1, hidden)
    loss = functional.cross_entropy(logits, torch.tensor(request.targets))
    return network.answer(loss, [hidden, torch.softmax(logits, dim=1)])
