"""The known mistakes: a class each, registered in `MISTAKES`."""

from __future__ import annotations

from core.checking.mistakes.arithmetic import ARITHMETIC, SubtractionSignLost
from core.checking.mistakes.attention import ATTENTION
from core.checking.mistakes.augmented_weights import ROWS
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.bias_gradient import BIAS_GRADIENT
from core.checking.mistakes.constant_of_activation import CONSTANTS
from core.checking.mistakes.convolution import CONVOLUTION
from core.checking.mistakes.convolution_windows import CONVOLUTION_WINDOWS
from core.checking.mistakes.dense_gradient import DENSE_GRADIENT
from core.checking.mistakes.derivative_applied_twice import DerivativeAppliedTwice
from core.checking.mistakes.derivative_at_activation import DerivativeAtActivation
from core.checking.mistakes.derivative_formula_of_preactivation import DerivativeFormulaOfPreactivation
from core.checking.mistakes.derivative_of_another_function import OTHERS
from core.checking.mistakes.derivative_of_another_layer import ANOTHER_LAYER
from core.checking.mistakes.divided_by_batch_size import DividedByBatchSize
from core.checking.mistakes.divided_by_two import DividedByTwo, DividedByTwoOfAnotherLoss
from core.checking.mistakes.dropout import DROPOUT
from core.checking.mistakes.embedding import EMBEDDING
from core.checking.mistakes.error_instead_of_delta import ERRORS
from core.checking.mistakes.extremes import EXTREMES
from core.checking.mistakes.flatten_order import FlattenOrder
from core.checking.mistakes.fork_overwritten import BRANCHES_LOST, BRANCHES_TWICE, ForkKeepsFirst, ForkKeepsLast
from core.checking.mistakes.forward_activation import OTHER_ACTIVATIONS, ActivationLeftOut, SoftmaxOverTheBatch
from core.checking.mistakes.forward_dense import BiasLeftOut, ForwardWeightsTransposed
from core.checking.mistakes.gradient_of_another_layer import GradientOfLayerAbove, GradientOfLayerBelow
from core.checking.mistakes.gradient_of_another_loss import OTHER_LOSSES
from core.checking.mistakes.group_norm import GROUP_NORM
from core.checking.mistakes.integer_labels import IntegerLabels, IntegerLabelsFromOne
from core.checking.mistakes.local_response_norm import LOCAL_RESPONSE_NORM
from core.checking.mistakes.loss_value import LossInBits, LossWithoutPenalty
from core.checking.mistakes.matrix import MATRIX
from core.checking.mistakes.missing_activation_derivative import MissingActivationDerivative
from core.checking.mistakes.multiplied_by_batch_size import MultipliedByBatchSize
from core.checking.mistakes.multiplied_by_two import MultipliedByTwo, MultipliedByTwoOfAnotherLoss
from core.checking.mistakes.normalisation import NORMALISATION
from core.checking.mistakes.number_of_outputs import DividedByOutputs, MultipliedByOutputs
from core.checking.mistakes.one_example_only import FirstExampleOnly, LastExampleOnly
from core.checking.mistakes.outer_product_transposed import DataGradientTransposed, OuterProductTransposed
from core.checking.mistakes.overlapping_windows import OVERLAPPING_WINDOWS
from core.checking.mistakes.pooling import POOLING
from core.checking.mistakes.prelu import PRELU
from core.checking.mistakes.recurrence import RECURRENCE
from core.checking.mistakes.regularisation import PENALTIES
from core.checking.mistakes.resampling import RESAMPLING
from core.checking.mistakes.scaling import SCALING
from core.checking.mistakes.sign_flipped import SignFlipped
from core.checking.mistakes.sizes import SIZES
from core.checking.mistakes.slicing import SLICING
from core.checking.mistakes.softmax_jacobian_diagonal import SoftmaxDiagonalAppliedAgain, SoftmaxJacobianDiagonal
from core.checking.mistakes.target_left_out import TargetLeftOut
from core.checking.mistakes.transposed_convolution import TRANSPOSED_CONVOLUTION
from core.checking.mistakes.unknown_factor import AccumulatedOverCalls, UnknownFactor
from core.checking.mistakes.updated_weights_used import UpdatedWeightsUsed
from core.checking.mistakes.weights_left_out import WeightsLeftOut
from core.checking.mistakes.weights_not_transposed import WeightsNotTransposed
from core.checking.mistakes.weights_of_wrong_layer import WeightsOfWrongLayer
from core.checking.mistakes.window_numbers import WINDOW_NUMBERS
from core.checking.mistakes.wrong_factor_in_gradient import WRONG_FACTORS

FACTORS: tuple[type[Mistake], ...] = (
    MultipliedByBatchSize,
    DividedByBatchSize,
    SignFlipped,
    MultipliedByTwo,
    MultipliedByTwoOfAnotherLoss,
    DividedByTwo,
    DividedByTwoOfAnotherLoss,
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
    *CONSTANTS,
    *ANOTHER_LAYER,
    WeightsNotTransposed,
    WeightsLeftOut,
    WeightsOfWrongLayer,
    UpdatedWeightsUsed,
    *ERRORS,
    *ROWS,
    ForkKeepsFirst,
    ForkKeepsLast,
    *BRANCHES_LOST,
    *BRANCHES_TWICE,
    *ARITHMETIC,
    IntegerLabels,
    IntegerLabelsFromOne,
    TargetLeftOut,
    *OTHER_LOSSES,
)
GRADIENTS: tuple[type[Mistake], ...] = (
    OuterProductTransposed,
    DataGradientTransposed,
    *WRONG_FACTORS,
    *DENSE_GRADIENT,
    *BIAS_GRADIENT,
    LastExampleOnly,
    FirstExampleOnly,
    *PENALTIES,
    GradientOfLayerAbove,
    GradientOfLayerBelow,
)
KINDS: tuple[type[Mistake], ...] = (
    *DROPOUT,
    *EMBEDDING,
    FlattenOrder,
    *NORMALISATION,
    *GROUP_NORM,
    *LOCAL_RESPONSE_NORM,
    *SCALING,
    *SLICING,
    *CONVOLUTION,
    *CONVOLUTION_WINDOWS,
    *TRANSPOSED_CONVOLUTION,
    *RESAMPLING,
    *POOLING,
    *EXTREMES,
    *PRELU,
    *RECURRENCE,
    *OVERLAPPING_WINDOWS,
    *WINDOW_NUMBERS,
    *ATTENTION,
    *MATRIX,
)
LAST: tuple[type[Mistake], ...] = (*SIZES, AccumulatedOverCalls, UnknownFactor)

MISTAKES: tuple[type[Mistake], ...] = (SubtractionSignLost, *FACTORS, *FORWARD, *DELTAS, *GRADIENTS, *KINDS, *LAST)
"""Every known mistake. If two reproduce the same numbers, the earlier one is named and the later is an alternative."""

__all__ = ["MISTAKES", "Mistake"]
