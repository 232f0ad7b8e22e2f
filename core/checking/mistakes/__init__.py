"""The known mistakes: a class each, registered in `MISTAKES`."""

from __future__ import annotations

from core.checking.mistakes.attention import ATTENTION
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.bias_gradient import (
    BiasGradientIsWeightGradient,
    BiasGradientNotSummed,
    BiasGradientNotSummedColumn,
    BiasGradientOverWrongAxis,
)
from core.checking.mistakes.convolution import (
    BiasGradientMeanOverPositions,
    BiasGradientOverExamplesOnly,
    KernelGradientTurned,
    KernelNotTurned,
)
from core.checking.mistakes.derivative_applied_twice import DerivativeAppliedTwice
from core.checking.mistakes.derivative_at_activation import DerivativeAtActivation
from core.checking.mistakes.derivative_formula_of_preactivation import DerivativeFormulaOfPreactivation
from core.checking.mistakes.derivative_of_another_function import OTHERS
from core.checking.mistakes.derivative_of_another_layer import (
    DerivativeAtDelta,
    DerivativeAtInput,
    DerivativeOfLayerAbove,
)
from core.checking.mistakes.divided_by_batch_size import DividedByBatchSize
from core.checking.mistakes.divided_by_two import DividedByTwo
from core.checking.mistakes.dropout import DropoutMaskForgotten, DropoutScaleForgotten
from core.checking.mistakes.embedding import RepeatedRowsOverwritten
from core.checking.mistakes.flatten_order import FlattenOrder
from core.checking.mistakes.fork_overwritten import ForkKeepsFirst, ForkKeepsLast
from core.checking.mistakes.forward_activation import OTHER_ACTIVATIONS, ActivationLeftOut, SoftmaxOverTheBatch
from core.checking.mistakes.forward_dense import BiasLeftOut, ForwardWeightsTransposed
from core.checking.mistakes.gradient_of_another_layer import GradientOfLayerAbove, GradientOfLayerBelow
from core.checking.mistakes.gradient_of_another_loss import OTHER_LOSSES
from core.checking.mistakes.integer_labels import IntegerLabels, IntegerLabelsFromOne
from core.checking.mistakes.loss_value import LossInBits, LossWithoutPenalty
from core.checking.mistakes.matrix import MATRIX
from core.checking.mistakes.missing_activation_derivative import MissingActivationDerivative
from core.checking.mistakes.multiplied_by_batch_size import MultipliedByBatchSize
from core.checking.mistakes.multiplied_by_two import MultipliedByTwo
from core.checking.mistakes.normalisation import NORMALISATION
from core.checking.mistakes.number_of_outputs import DividedByOutputs, MultipliedByOutputs
from core.checking.mistakes.one_example_only import FirstExampleOnly, LastExampleOnly
from core.checking.mistakes.outer_product_transposed import DataGradientTransposed, OuterProductTransposed
from core.checking.mistakes.pooling import MaximumToWholeWindow, MeanToWholeWindow, MeanWithoutItsShare
from core.checking.mistakes.recurrence import (
    RecurrentGradientOfCurrentState,
    RecurrentWeightNotTransposed,
    TimeDerivativeMissing,
    TimeTruncated,
)
from core.checking.mistakes.regularisation import (
    PenaltyDividedByBatchSize,
    PenaltyDoubled,
    PenaltyMissing,
    PenaltyOfAnotherSize,
    PenaltyOnBias,
)
from core.checking.mistakes.shared.arithmetic import OwnFactorInProduct, SubtractionSignLost
from core.checking.mistakes.sign_flipped import SignFlipped
from core.checking.mistakes.softmax_jacobian_diagonal import SoftmaxDiagonalAppliedAgain, SoftmaxJacobianDiagonal
from core.checking.mistakes.target_left_out import TargetLeftOut
from core.checking.mistakes.unknown_factor import AccumulatedOverCalls, UnknownFactor
from core.checking.mistakes.updated_weights_used import UpdatedWeightsUsed
from core.checking.mistakes.weights_left_out import WeightsLeftOut
from core.checking.mistakes.weights_not_transposed import WeightsNotTransposed
from core.checking.mistakes.weights_of_wrong_layer import WeightsOfWrongLayer
from core.checking.mistakes.wrong_factor_in_gradient import (
    DeltaOfLayerAbove,
    GradientAtActivation,
    NetworkInputInsteadOfActivation,
    OwnOutputInsteadOfInput,
    PreactivationInsteadOfActivation,
)

FACTORS: tuple[type[Mistake], ...] = (
    MultipliedByBatchSize,
    DividedByBatchSize,
    SignFlipped,
    MultipliedByTwo,
    DividedByTwo,
    MultipliedByOutputs,
    DividedByOutputs,
)
FORWARD: tuple[type[Mistake], ...] = (
    BiasLeftOut,
    ForwardWeightsTransposed,
    ActivationLeftOut,
    SoftmaxOverTheBatch,
    *OTHER_ACTIVATIONS,
    LossWithoutPenalty,
    LossInBits,
)
DELTAS: tuple[type[Mistake], ...] = (
    MissingActivationDerivative,
    SoftmaxJacobianDiagonal,
    SoftmaxDiagonalAppliedAgain,
    DerivativeAppliedTwice,
    DerivativeAtActivation,
    DerivativeFormulaOfPreactivation,
    *OTHERS,
    DerivativeAtInput,
    DerivativeOfLayerAbove,
    DerivativeAtDelta,
    WeightsNotTransposed,
    WeightsLeftOut,
    WeightsOfWrongLayer,
    UpdatedWeightsUsed,
    ForkKeepsFirst,
    ForkKeepsLast,
    SubtractionSignLost,
    OwnFactorInProduct,
    IntegerLabels,
    IntegerLabelsFromOne,
    TargetLeftOut,
    *OTHER_LOSSES,
)
GRADIENTS: tuple[type[Mistake], ...] = (
    OuterProductTransposed,
    DataGradientTransposed,
    OwnOutputInsteadOfInput,
    PreactivationInsteadOfActivation,
    NetworkInputInsteadOfActivation,
    DeltaOfLayerAbove,
    GradientAtActivation,
    BiasGradientNotSummed,
    BiasGradientNotSummedColumn,
    BiasGradientOverWrongAxis,
    BiasGradientIsWeightGradient,
    LastExampleOnly,
    FirstExampleOnly,
    PenaltyMissing,
    PenaltyDoubled,
    PenaltyDividedByBatchSize,
    PenaltyOnBias,
    PenaltyOfAnotherSize,
    GradientOfLayerAbove,
    GradientOfLayerBelow,
)
KINDS: tuple[type[Mistake], ...] = (
    DropoutMaskForgotten,
    DropoutScaleForgotten,
    RepeatedRowsOverwritten,
    FlattenOrder,
    *NORMALISATION,
    KernelNotTurned,
    KernelGradientTurned,
    BiasGradientOverExamplesOnly,
    BiasGradientMeanOverPositions,
    MeanWithoutItsShare,
    MaximumToWholeWindow,
    MeanToWholeWindow,
    TimeTruncated,
    RecurrentWeightNotTransposed,
    TimeDerivativeMissing,
    RecurrentGradientOfCurrentState,
    *ATTENTION,
    *MATRIX,
)
LAST: tuple[type[Mistake], ...] = (AccumulatedOverCalls, UnknownFactor)

MISTAKES: tuple[type[Mistake], ...] = (*FACTORS, *FORWARD, *DELTAS, *GRADIENTS, *KINDS, *LAST)
"""Every known mistake. If two reproduce the same numbers, the earlier one is named and the later is an alternative."""

__all__ = ["MISTAKES", "Mistake"]
