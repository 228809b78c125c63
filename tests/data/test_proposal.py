"""What the columns of a table hold, in a word, by their cells and their names; tests/cli/test_mending.py has what follows from it."""

import pytest

from losscli.data.proposal import looks
from losscli.definition.dialect import Dialect
from losscli.io.operands import Opener


@pytest.fixture
def kinds(write):
    """Write columns as CSV, and return what each of them holds."""

    def of(**columns):
        rows = zip(*columns.values(), strict=True)
        file = write("t.csv", "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows), ""]))
        return {look.name: look.kind for look in looks(Opener(None).open(file, "predictions"))}

    return of


def test_by_cells_and_by_names(kinds):
    columns = {
        "customer_id": ([17, 12, 33, 4, 25, 96], "id"),
        "paid": ([17, 12, 33, 4, 25, 96], "numbers"),  # is not called an id
        "serial": ([4, 5, 6, 7, 8, 9], "id"),  # counts up
        "even": ([4, 6, 8, 10, 12, 14], "numbers"),
        "code": (["k1", "k2", "k3", "k4", "k5", "k6"], "id"),  # words that are all unlike
        "city": (["Ulm", "Ulm", "Bonn", "Bonn", "Kiel", "Kiel"], "labels"),
        "left": (["yes", "No", "no", "yes", "No", "YES"], "outcomes"),
        "sex": (["m", "f", "f", "m", "m", "f"], "outcomes"),
        "seen": ([0, 1, 1, 0, 1, 0], "outcomes"),
        "grade": ([1, 1, 2, 2, 3, 3], "labels"),
        "p": ([0.5, 1, 0.25, 0, 1, 1], "scores"),
        "label": ([3, 9, 4, 7, 1, 5], "labels"),  # is called so
        "label_pred": ([3, 9, 4, 7, 1, 5], "numbers"),
    }
    assert kinds(**{name: cells for name, (cells, _) in columns.items()}) == {
        name: kind for name, (_, kind) in columns.items()
    }


def test_of_many_rows(kinds):
    found = kinds(
        few=[f"w{i % 25}" for i in range(50)],
        many=[f"w{i % 26}" for i in range(50)],
        twenty=[i % 20 for i in range(50)],
        more=[(i * 5) % 21 for i in range(50)],
        target=[i % 20 for i in range(50)],
    )
    assert found == {"few": "labels", "many": "words", "twenty": "labels", "more": "numbers", "target": "labels"}


def test_cells_without_a_value_say_nothing(kinds):
    found = kinds(a=["NA", 0.5, "inf", 2], b=["nan", "yes", "no", "NULL"], c=["", "", "", ""], d=["?", "x", "y", "-"])
    assert found["a"] == "scores"
    assert found["b"] == "outcomes"
    assert "c" not in found


def test_commas_of_decimals(write):
    file = write("t.csv", "a;b\n0,5;1\n1,25;0\n")
    table = Opener(None, dialect=Dialect(decimal=",")).open(file, "predictions")
    assert [(look.name, look.kind) for look in looks(table)] == [("a", "scores"), ("b", "outcomes")]
