"""The mistakes that are known: a class each, registered in `CAUSES`."""

from __future__ import annotations

from core.checking.causes.arithmetic import OwnFactorInProduct, SubtractionSignLost
from core.checking.causes.bias_gradient import (
    BiasGradientIsWeightGradient,
    BiasGradientNotSummed,
    BiasGradientNotSummedColumn,
    BiasGradientOverWrongAxis,
)
from core.checking.causes.convolution import (
    BiasGradientMeanOverPositions,
    BiasGradientOverExamplesOnly,
    KernelGradientTurned,
    KernelNotTurned,
)
from core.checking.causes.derivative_applied_twice import DerivativeAppliedTwice
from core.checking.causes.derivative_at_activation import DerivativeAtActivation
from core.checking.causes.derivative_formula_of_preactivation import DerivativeFormulaOfPreactivation
from core.checking.causes.derivative_of_another_function import OTHERS
from core.checking.causes.derivative_of_another_layer import (
    DerivativeAtDelta,
    DerivativeAtInput,
    DerivativeOfLayerAbove,
)
from core.checking.causes.divided_by_batch_size import DividedByBatchSize
from core.checking.causes.divided_by_two import DividedByTwo
from core.checking.causes.dropout import DropoutMaskForgotten, DropoutScaleForgotten
from core.checking.causes.embedding import RepeatedRowsOverwritten
from core.checking.causes.flatten_order import FlattenOrder
from core.checking.causes.fork_overwritten import ForkKeepsFirst, ForkKeepsLast
from core.checking.causes.forward_activation import OTHER_ACTIVATIONS, ActivationLeftOut, SoftmaxOverTheBatch
from core.checking.causes.forward_dense import BiasLeftOut, ForwardWeightsTransposed
from core.checking.causes.gradient_of_another_layer import GradientOfLayerAbove, GradientOfLayerBelow
from core.checking.causes.gradient_of_another_loss import OTHER_LOSSES
from core.checking.causes.integer_labels import IntegerLabels, IntegerLabelsFromOne
from core.checking.causes.loss_value import LossInBits, LossWithoutPenalty
from core.checking.causes.missing_activation_derivative import MissingActivationDerivative
from core.checking.causes.multiplied_by_batch_size import MultipliedByBatchSize
from core.checking.causes.multiplied_by_two import MultipliedByTwo
from core.checking.causes.normalisation import (
    GammaGradientOfRawInput,
    GammaLeftOut,
    MeanTermMissing,
    StatisticsAsConstants,
    UnbiasedVariance,
    VarianceTermMissing,
)
from core.checking.causes.number_of_outputs import DividedByOutputs, MultipliedByOutputs
from core.checking.causes.one_example_only import FirstExampleOnly, LastExampleOnly
from core.checking.causes.outer_product_transposed import DataGradientTransposed, OuterProductTransposed
from core.checking.causes.pooling import MaximumToWholeWindow, MeanToWholeWindow, MeanWithoutItsShare
from core.checking.causes.recurrence import (
    RecurrentGradientOfCurrentState,
    RecurrentWeightNotTransposed,
    TimeDerivativeMissing,
    TimeTruncated,
)
from core.checking.causes.regularisation import (
    PenaltyDividedByBatchSize,
    PenaltyDoubled,
    PenaltyMissing,
    PenaltyOfAnotherSize,
    PenaltyOnBias,
)
from core.checking.causes.sign_flipped import SignFlipped
from core.checking.causes.softmax_jacobian_diagonal import SoftmaxDiagonalAppliedAgain, SoftmaxJacobianDiagonal
from core.checking.causes.target_left_out import TargetLeftOut
from core.checking.causes.unknown_factor import AccumulatedOverCalls, UnknownFactor
from core.checking.causes.updated_weights_used import UpdatedWeightsUsed
from core.checking.causes.weights_left_out import WeightsLeftOut
from core.checking.causes.weights_not_transposed import WeightsNotTransposed
from core.checking.causes.weights_of_wrong_layer import WeightsOfWrongLayer
from core.checking.causes.wrong_factor_in_gradient import (
    DeltaOfLayerAbove,
    GradientAtActivation,
    NetworkInputInsteadOfActivation,
    OwnOutputInsteadOfInput,
    PreactivationInsteadOfActivation,
)
from core.checking.mistake import Mistake

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
    StatisticsAsConstants,
    MeanTermMissing,
    VarianceTermMissing,
    GammaLeftOut,
    GammaGradientOfRawInput,
    UnbiasedVariance,
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
)
LAST: tuple[type[Mistake], ...] = (AccumulatedOverCalls, UnknownFactor)

CAUSES: tuple[type[Mistake], ...] = (*FACTORS, *FORWARD, *DELTAS, *GRADIENTS, *KINDS, *LAST)
"""Every known mistake. Where two reproduce the same numbers, the earlier one is named and the later an alternative."""

__all__ = ["CAUSES", "Mistake"]
