"""The rows of a report on steps: every submitted tensor beside the right one."""

from __future__ import annotations

import numpy as np

from core.checking.comparison import difference
from core.checking.quantity import Quantity
from core.checking.steps.agreement import Agreement
from core.checking.steps.course import Course
from core.checking.steps.explanation import Found
from core.checking.steps.reading import Read
from core.checking.steps.report import PARAMETERS, StepRow


def step_rows(course: Course, found: Found, agreement: Agreement, read: Read) -> list[StepRow]:
    """Return every submitted tensor beside the right one, step by step."""
    rows = []
    for number, (point, own) in enumerate(zip(course.points, found.predicted, strict=True)):
        vectors = {PARAMETERS: (point.theta, own.theta)}
        vectors |= {f"step.optimizer_state.{name}": (vector, own.slots[name]) for name, vector in point.slots.items()}
        for part, (yours, right) in vectors.items():
            for (layer, name), piece in course.layout.slices.items():
                if not yours.known[piece].all() or piece.start == piece.stop:
                    continue
                shape = dict(((one, two), three) for one, two, three in course.layout.trainable.entries)[layer, name]
                sent, expected = yours.values[piece].reshape(shape), right[piece].reshape(shape)
                before = own.before[piece].reshape(shape) if part == PARAMETERS else np.zeros(shape)
                apart = difference(sent, expected, agreement.allowed(expected, before))
                is_wrong = number in found.wrong.get((layer, name), []) and apart.mismatched > 0
                rows.append(
                    StepRow(
                        quantity=Quantity(part, layer, name),
                        status="wrong" if is_wrong else "correct",
                        total=expected.size,
                        difference=apart,
                        yours=sent,
                        expected=expected,
                        layout=read.layouts.get((point.step, part, layer, name)),
                        step=point.step,
                    )
                )
    rows += [
        StepRow(
            quantity=Quantity(each.part, each.layer, each.name),
            status="wrong",
            total=int(np.prod(each.wanted)),
            shapes=(each.got, each.wanted),
            step=each.step,
        )
        for each in read.misfits
    ]
    return rows
