"""Plan: the operations of one network, bound to its arrays, built once and run many times.

Building a plan collects the operations of each layer and allocates every tensor; a run computes and allocates next to
nothing. New numbers may be written into the inputs, parameters and targets of a plan between runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.arrays import Array, CheckDeadline, Op, tensor_memory
from core.errors import Issue
from core.feedback_alignment import Feedback
from core.layer_context import LayerContext
from core.network import Node
from core.plan.backward import BackwardPass
from core.plan.forward import ForwardPass
from core.plan.objective import LossPass, Objective
from core.plan.pool import Pool
from core.plan.watch import Retain, Watch


class Plan:
    """Operations and arrays of a network. Every array is batch-first and keeps its identity for the life of the plan."""

    def __init__(
        self,
        nodes: Sequence[Node],
        inputs: Mapping[str, Array],
        parameters: Mapping[str, Mapping[str, Array]],
        objective: Objective | None = None,
        *,
        dtype: np.dtype[Any],
        state: Mapping[str, Mapping[str, Array]] | None = None,
        column: bool = False,
        backward: bool = True,
        retain: Retain | None = None,
        feedback: Feedback | None = None,
        check_deadline: CheckDeadline | None = None,
        gradients: Mapping[str, Mapping[str, Array]] | None = None,
        by_row: bool = False,
    ) -> None:
        """Build a plan.

        Args:
            nodes: the network, as shape inference returns it.
            inputs: tensors of the batch by name; a small one is copied, a large one is used in place.
            parameters: by layer and name; copied likewise, except a bias that follows its weight in one vector.
            objective: the loss, if there is one.
            state: state of the layers before the batch, by layer and name.
            dtype: of the computation; complex for a complex step.
            column: whether the request writes matrices as features x n.
            backward: whether to build the backward pass; there is none without an objective.
            retain: arrays that stay readable after a run.
            feedback: matrices that propagate the error instead of the transposed weights.
            check_deadline: called after every layer in both directions; it ends a run by raising an exception. With it,
                tensors are also checked for NaN and infinity.
            gradients: memory for gradients, by layer and name, used in place.
            by_row: whether to store the inputs in row-major order, because examples are written one by one.
        """
        retain, watch = retain or Retain(), Watch(check_deadline)
        fused = objective.loss.on_logits(nodes[-1].function) if objective else None
        self.fused = nodes[-1].name if fused else None
        """Name of the layer whose activation is fused with the loss; None if there is none."""
        self._forward_pass = ForwardPass(
            nodes,
            inputs,
            parameters,
            state=state or {},
            dtype=dtype,
            column=column,
            retain=retain,
            watch=watch,
            fused=fused is not None,
            by_row=by_row,
        )
        self._loss_pass: LossPass | None = None
        self._backward_pass: BackwardPass | None = None
        self._forward: list[Op] = self._forward_pass.ops
        self._backward: list[Op] = []
        if objective is None:
            return
        pool = Pool(dtype)
        kept = retain.deltas and (fused is not None or nodes[-1].function.is_identity)
        shape = self.output.shape
        d_output = tensor_memory(shape, dtype) if kept else pool.acquire(shape)
        loss = self._loss_pass = LossPass(objective, fused, self._forward_pass, d_output, watch)
        self._forward = [*self._forward, *loss.ops]
        if backward:
            self._backward_pass = BackwardPass(
                self._forward_pass,
                d_output,
                pool,
                l2=loss.l2,
                retain=retain,
                watch=watch,
                fused=fused is not None,
                feedback=feedback,
                memory=gradients,
            )
            self._backward = [*loss.backward_ops, *self._backward_pass.ops]

    def forward(self) -> None:
        """Run the forward pass: from the batch to the output and, if there is an objective, the loss."""
        for op in self._forward:
            op()

    def backward(self) -> None:
        """Run the backward pass: from the loss to every gradient. Call it once after each forward run."""
        for op in self._backward:
            op()

    @property
    def ops(self) -> list[Op]:
        """The operations of both passes in order, for a caller that runs them among its own."""
        return [*self._forward, *self._backward]

    @property
    def inputs(self) -> dict[str, Array]:
        """Tensors of the batch by name."""
        return self._forward_pass.inputs

    @property
    def input_memory(self) -> dict[str, Array]:
        """Tensors of the batch by name, including the column of ones where there is one."""
        return self._forward_pass.input_memory

    @property
    def parameters(self) -> dict[str, dict[str, Array]]:
        """Parameters by layer and name."""
        return self._forward_pass.parameters

    @property
    def output(self) -> Array:
        """Activations of the last layer."""
        return self._forward_pass.output

    @property
    def activations(self) -> dict[str, Array]:
        """Result of each layer after its activation function, by name."""
        return self._forward_pass.activations

    @property
    def contexts(self) -> list[tuple[Node, LayerContext]]:
        """Layers with their contexts, in execution order."""
        return self._forward_pass.contexts

    @property
    def preactivations(self) -> dict[str, Array]:
        """Result of each layer before its activation function, by name; valid with `retain.preactivations`."""
        return self._forward_pass.preactivations

    @property
    def new_state(self) -> dict[str, dict[str, Array]]:
        """State of the layers after the last forward run, by layer and name."""
        return {node.name: context.new_state for node, context in self._forward_pass.contexts if context.new_state}

    @property
    def reported(self) -> dict[str, dict[str, Array]]:
        """Arrays that layers report of the last forward run besides their results, by layer and name."""
        return {node.name: context.reported for node, context in self._forward_pass.contexts if context.reported}

    @property
    def warnings(self) -> list[Issue]:
        """Warnings of the last forward run."""
        return [
            issue.below("network", "layers", node.position)
            for node, context in self._forward_pass.contexts
            for issue in context.warnings
        ]

    @property
    def loss(self) -> LossPass:
        """Loss of the plan, with its terms and targets.

        Raises:
            LookupError: if the plan has no objective.
        """
        if self._loss_pass is None:
            raise LookupError("this plan was built without an objective")
        return self._loss_pass

    @property
    def gradients(self) -> BackwardPass:
        """Results of the backward pass: deltas, gradients of parameters and inputs.

        Raises:
            LookupError: if the plan has no backward pass.
        """
        if self._backward_pass is None:
            raise LookupError("this plan was built to go forward only")
        return self._backward_pass
