"""Models in the database: one for each content, on SQLite and PostgreSQL, also when many store at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import func, select

from app.models import repository
from app.storage import Database, blobs
from app.storage.blobs import Content, Piece
from app.storage.tables.models import StoredModel
from core.arrays import Array
from core.errors import Refusal
from core.layers import Layer
from core.layers.batch_norm import BatchNorm
from core.layers.dense import Dense
from core.model import Model

pytestmark = pytest.mark.slow

LAYERS: list[Layer] = [Dense(units=2, activation="tanh"), BatchNorm(name="norm"), Dense(units=1, bias=False)]


def model(seed: int = 0) -> Model:
    random = np.random.default_rng(seed)
    parameters: dict[str, dict[str, Array]] = {
        "1": {"weight": random.normal(size=(3, 2)), "bias": random.normal(size=2)},
        "norm": {"gamma": np.ones(2, np.float32), "beta": np.zeros(2, np.float32)},
        "3": {"weight": random.normal(size=(1, 2)).T},
    }
    return Model(LAYERS, parameters, {"norm": {"running_mean": np.zeros(2), "running_variance": np.ones(2)}})


def count(database: Database, table: type) -> int | None:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_model_comes_back_bit_for_bit(database: Database) -> None:
    stored, is_new = repository.save_model(database, model(), name="a", metadata={"b": 1}, parent="mdl_x")
    assert is_new
    assert (stored.name, stored.notes, stored.parent) == ("a", {"b": 1}, "mdl_x")
    found = repository.load_model(database, stored.id)
    assert found.layers == LAYERS
    assert found.tensors().keys() == model().tensors().keys()
    for path, array in model().tensors().items():
        assert found.tensors()[path].dtype == array.dtype
        np.testing.assert_array_equal(found.tensors()[path], array)


def test_the_same_content_is_stored_once_and_keeps_its_first_name(database: Database) -> None:
    first, _ = repository.save_model(database, model(), name="first")
    second, is_new = repository.save_model(database, model(), name="second")
    assert (second.id, second.name, is_new) == (first.id, "first", False)
    assert (count(database, StoredModel), count(database, Content)) == (1, 1)


def test_names_and_inputs_that_go_without_saying_do_not_make_another_model(database: Database) -> None:
    plain = Model([Dense(units=2), Dense(units=1, activation="relu")])
    spoken = Model([Dense(units=2, name="1", inputs=["input"]), Dense(units=1, inputs=["1"], activation="relu")])
    other = Model([Dense(units=2, name="first"), Dense(units=1, activation="relu")])
    one, two, three = (repository.save_model(database, each)[0].id for each in (plain, spoken, other))
    assert one == two != three


@pytest.mark.parametrize("change", ["layer", "value", "type", "state"])
def test_whatever_differs_makes_another_model(database: Database, change: str) -> None:
    one, other = model(), model()
    parameters = {layer: dict(named) for layer, named in one.parameters.items()}
    if change == "layer":
        other = Model([*LAYERS[:2], Dense(units=1, bias=False, activation="relu")], one.parameters, one.state)
    elif change == "value":
        parameters["1"]["bias"] = np.nextafter(parameters["1"]["bias"], 1)
        other = Model(LAYERS, parameters, one.state)
    elif change == "type":
        parameters["norm"]["gamma"] = np.ones(2)
        other = Model(LAYERS, parameters, one.state)
    else:
        other = Model(LAYERS, one.parameters)
    assert repository.save_model(database, one)[0].id != repository.save_model(database, other)[0].id


def test_an_identity_is_the_same_everywhere_and_forever(database: Database) -> None:
    """A literal: an id that changed with a version would break every reference to it."""
    fixed = Model([Dense(units=1, bias=False)], {"1": {"weight": np.array([[0.5], [-0.25]])}})
    assert repository.save_model(database, fixed)[0].id == "mdl_d2224bd550b576bf9eeec21b"


def test_many_who_store_the_same_at_once_store_it_once(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: repository.save_model(database, model()), range(24)))
    assert len({stored.id for stored, _ in results}) == 1
    assert sum(is_new for _, is_new in results) == 1
    assert [count(database, table) for table in (StoredModel, Content, Piece)] == [1, 1, 1]


def test_processes_that_store_the_same_at_once_store_it_once(database: Database, address: str) -> None:
    program = (
        "from app.storage import Database\nfrom app.models.repository import save_model\n"
        "from tests.app.storage.test_models import model\n"
        f"database = Database({address!r})\n"
        "print(sum(save_model(database, model(number))[1] for number in range(10)))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(3)]
    stored = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(stored) == 10
    assert count(database, StoredModel) == 10


def test_storing_and_deleting_at_once_never_leaves_a_model_without_its_tensors(database: Database) -> None:
    """Two networks share one content; whoever deletes the last model of it races with whoever stores one."""
    tensors = model().parameters
    networks = [[*LAYERS[:2], Dense(units=1, bias=False, activation=name)] for name in ("relu", "tanh")]

    def store_and_delete(number: int) -> None:
        for _ in range(6):
            stored, _ = repository.save_model(database, Model(networks[number % 2], tensors))
            try:
                assert repository.load_model(database, stored.id).tensors().keys()
                repository.delete_model(database, stored.id)
            except Refusal as refusal:
                assert refusal.issues[0].code == "not-found"

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(store_and_delete, range(6)))
    assert [count(database, table) for table in (StoredModel, Content, Piece)] == [0, 0, 0]


def test_tensors_go_with_the_last_model_that_has_them(database: Database) -> None:
    one, _ = repository.save_model(database, model())
    two, _ = repository.save_model(
        database, Model([*LAYERS[:2], Dense(units=1, bias=False, activation="elu")], model().parameters, model().state)
    )
    assert one.content == two.content
    repository.delete_model(database, one.id)
    assert repository.load_model(database, two.id).tensors()
    repository.delete_model(database, two.id)
    assert (count(database, Content), count(database, Piece)) == (0, 0)


def test_large_tensors_are_cut_into_pieces(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "PIECE", 1000)
    weight = np.random.default_rng(1).normal(size=(40, 50))
    stored, _ = repository.save_model(database, Model([Dense(units=50, bias=False)], {"1": {"weight": weight}}))
    assert count(database, Piece) == 17
    np.testing.assert_array_equal(repository.load_model(database, stored.id).parameters["1"]["weight"], weight)


def test_what_is_not_there_is_not_found(database: Database) -> None:
    def rename(database: Database, identity: str) -> object:
        return repository.change_model(database, identity, {"name": "a"})

    for act in (repository.load_model, repository.delete_model, rename):
        with pytest.raises(Refusal, match="no model 'mdl_no'") as caught:
            act(database, "mdl_no")
        assert caught.value.issues[0].code == "not-found"
