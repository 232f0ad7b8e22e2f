"""Plan: the operations of one network, bound to its arrays, built once and run many times.

Building a plan asks each layer for its operations and finds memory for every tensor; running it computes, and allocates next
to nothing. Whoever holds a plan may write new numbers into its inputs, parameters and targets between runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.arrays import Array, Op, tensor_memory
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
    """A network's steps and arrays. Every array is batch-first and keeps its identity for the life of the plan."""

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
        check_deadline: Op | None = None,
        gradients: Mapping[str, Mapping[str, Array]] | None = None,
        by_row: bool = False,
    ) -> None:
        """Build a plan.

        Args:
            nodes: the network, as a survey wired it.
            inputs: tensors of the batch by name; a small one is copied, a large one is used where it lies.
            parameters: by layer and name; likewise, but a bias that lies behind its weight in one vector is never copied.
            objective: the loss, if there is one.
            state: what layers keep between batches, by layer and name.
            dtype: of the computation; complex for a complex step, which only goes forward.
            column: whether the caller sees rank-2 tensors transposed.
            backward: whether gradients will be asked for; there are none without an objective.
            retain: what must stay readable.
            feedback: matrices through which the error goes down in place of the transposed weights.
            check_deadline: called after every layer in both directions; with it, tensors are also watched for NaN and
                infinity. It ends a run by raising.
            gradients: memory for gradients, by layer and name, which is used where it lies as the parameters' is.
            by_row: whether examples will be written into the inputs one by one, so that each had better be in one piece.
        """
        retain, watch = retain or Retain(), Watch(check_deadline)
        fused = objective.loss.on_logits(nodes[-1].function) if objective else None
        self.fused = nodes[-1].name if fused else None
        """The layer whose activation is computed together with the loss, if there is one."""
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
        """From the batch to the output, and to the loss if there is one."""
        for op in self._forward:
            op()

    def backward(self) -> None:
        """From the loss to every gradient. Runs once after each forward run."""
        for op in self._backward:
            op()

    @property
    def inputs(self) -> dict[str, Array]:
        """The tensors of the batch."""
        return self._forward_pass.inputs

    @property
    def input_memory(self) -> dict[str, Array]:
        """The same tensors, those with a column of ones beside them together with it."""
        return self._forward_pass.input_memory

    @property
    def parameters(self) -> dict[str, dict[str, Array]]:
        """The parameters by layer and name."""
        return self._forward_pass.parameters

    @property
    def output(self) -> Array:
        """The last layer's activations."""
        return self._forward_pass.output

    @property
    def activations(self) -> dict[str, Array]:
        """Every layer's result after its activation function."""
        return self._forward_pass.activations

    @property
    def contexts(self) -> list[tuple[Node, LayerContext]]:
        """Every layer with the arrays around it, in execution order."""
        return self._forward_pass.contexts

    @property
    def preactivations(self) -> dict[str, Array]:
        """Every layer's result before its activation function, where they are kept."""
        return self._forward_pass.preactivations

    @property
    def new_state(self) -> dict[str, dict[str, Array]]:
        """What layers keep for the next batch, by layer and name."""
        return {node.name: context.new_state for node, context in self._forward_pass.contexts if context.new_state}

    @property
    def reported(self) -> dict[str, dict[str, Array]]:
        """What else layers show of the last forward run, by layer and name."""
        return {node.name: context.reported for node, context in self._forward_pass.contexts if context.reported}

    @property
    def warnings(self) -> list[Issue]:
        """What layers found worth a warning in the last forward run."""
        return [
            issue.below("network", "layers", node.position)
            for node, context in self._forward_pass.contexts
            for issue in context.warnings
        ]

    @property
    def loss(self) -> LossPass:
        """The loss: its terms, its targets.

        Raises:
            LookupError: for a plan without an objective.
        """
        if self._loss_pass is None:
            raise LookupError("this plan was built without an objective")
        return self._loss_pass

    @property
    def gradients(self) -> BackwardPass:
        """What the backward pass leaves: deltas, gradients of the parameters and of the inputs.

        Raises:
            LookupError: for a plan that only goes forward.
        """
        if self._backward_pass is None:
            raise LookupError("this plan was built to go forward only")
        return self._backward_pass
