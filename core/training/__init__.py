"""Training: one step of an optimizer, and many of them. `train` is the loop."""

from core.training.recipe import EarlyStopping, Recipe
from core.training.report import EpochReport
from core.training.state import TrainingState, model_of, result_of
from core.training.train import Epoch, refuse_unfit, refuse_unfit_loss, train

__all__ = [
    "EarlyStopping",
    "Epoch",
    "EpochReport",
    "Recipe",
    "TrainingState",
    "model_of",
    "refuse_unfit",
    "refuse_unfit_loss",
    "result_of",
    "train",
]
