"""Forward readings, other functions that a forward pass may compute: registered in `FORWARD_READINGS`."""

from __future__ import annotations

from core.checking.forward_readings.activation import (
    AnotherConstant,
    AnotherFunction,
    AppliedTwice,
    GeluApproximated,
    SoftmaxTemperature,
)
from core.checking.forward_readings.arrangement import (
    AnotherHuberDelta,
    DropoutLeftOut,
    FlattenInAnotherOrder,
    NormalisedOverAnotherAxis,
    StatisticsOfAnotherMode,
)
from core.checking.forward_readings.attention import BlocksInAnotherOrder, MaskLeftOut, ScoresScaledOtherwise
from core.checking.forward_readings.base import ForwardReading, Variant
from core.checking.forward_readings.directions import DirectionsJoinedOtherwise
from core.checking.forward_readings.epsilon import AnotherEpsilon, EpsilonOutsideRoot
from core.checking.forward_readings.gate_order import AnotherGateOrder, UpdateGateTurned
from core.checking.forward_readings.parameters import BiasOmitted, WeightOfAnotherLayer, WeightTransposed
from core.checking.forward_readings.recurrence import (
    AnotherGateFunction,
    AnotherNonlinearity,
    BiasOfAnotherGate,
    ResetGateBeforeProduct,
)
from core.checking.forward_readings.windows import AnotherPadding, PaddingAtAnotherSide, PaddingNotCounted

FORWARD_READINGS: tuple[ForwardReading, ...] = (
    AnotherEpsilon(),
    EpsilonOutsideRoot(),
    AnotherConstant(),
    GeluApproximated(),
    SoftmaxTemperature(),
    AnotherHuberDelta(),
    ResetGateBeforeProduct(),
    UpdateGateTurned(),
    AnotherGateOrder(),
    ScoresScaledOtherwise(),
    BlocksInAnotherOrder(),
    PaddingNotCounted(),
    PaddingAtAnotherSide(),
    AnotherPadding(),
    AppliedTwice(),
    DirectionsJoinedOtherwise(),
    BiasOmitted(),
    BiasOfAnotherGate(),
    AnotherGateFunction(),
    AnotherNonlinearity(),
    AnotherFunction(),
    WeightTransposed(),
    WeightOfAnotherLayer(),
    MaskLeftOut(),
    DropoutLeftOut(),
    FlattenInAnotherOrder(),
    NormalisedOverAnotherAxis(),
    StatisticsOfAnotherMode(),
)
"""Neighbouring conventions first, then mistakes."""

__all__ = ["FORWARD_READINGS", "ForwardReading", "Variant"]
