"""Training: single steps of an optimizer, and the training loop `train`."""

from core.training.recipe import EarlyStopping, Recipe
from core.training.report import EpochReport
from core.training.state import BegunEpoch, TrainingState, epoch_of_result, model_of, result_of
from core.training.train import BetweenSteps, Epoch, train
from core.training.unfit import refuse_unfit, refuse_unfit_loss

__all__ = [
    "BegunEpoch",
    "BetweenSteps",
    "EarlyStopping",
    "Epoch",
    "EpochReport",
    "Recipe",
    "TrainingState",
    "epoch_of_result",
    "model_of",
    "refuse_unfit",
    "refuse_unfit_loss",
    "result_of",
    "train",
]
