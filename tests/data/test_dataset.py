"""The Dataset stage: what each column is taken for and why, what is doubtful, and where units lie in the file."""

import numpy as np
import pytest

from losscli.data import doubts
from losscli.data.columns import Reason, Role
from losscli.data.dataset import assign, join
from losscli.data.units import Units
from losscli.errors import DataError
from losscli.io.operands import Opener


def dataset_of(predictions, targets=None, weights=None, id=None, columns=None, by=None, third=None):
    opener = Opener(None)

    def opened(text, what):
        return None if text is None else opener.open(text, what)

    dataset = assign(
        opened(predictions, "predictions"),
        opened(targets, "targets"),
        opened(weights, "--sample-weight"),
        id,
        columns,
        opened(third, "--variance"),
        () if by is None else [opened(by, "--by")],
    )
    join(dataset, id, False)
    return dataset


def roles(dataset):
    return [(column.file, column.name, column.role, column.reason) for column in dataset.columns()]


@pytest.fixture
def files(write):
    write("p.csv", "key,cat,dog,group\nr1,0.5,1.5,x\nr2,2,0,y\n")
    write("t.csv", "key,label,w\nr2,dog,1\nr1,cat,2\n")


class TestColumns:
    def test_of_two_tables(self, files):
        found = dataset_of("p.csv", "t.csv:label", "t.csv:w", id="key", columns="cat,dog", by="p.csv:group")
        assert roles(found) == [
            ("p.csv", "key", Role.ID, Reason.OPTION),
            ("p.csv", "cat", Role.PREDICTION, Reason.OPTION),
            ("p.csv", "dog", Role.PREDICTION, Reason.OPTION),
            ("p.csv", "group", Role.SLICE, Reason.OPTION),
            ("t.csv", "key", Role.ID, Reason.OPTION),
            ("t.csv", "label", Role.TARGET, Reason.OPTION),
            ("t.csv", "w", Role.WEIGHT, Reason.OPTION),
        ]
        assert [column.position for column in found.columns()] == [0, 1, 2, 3, 0, 1, 2]

    def test_what_is_left_is_taken_by_its_position(self, write):
        write("p.csv", "a,b\n1,2\n")
        write("t.csv", "y\n1\n")
        assert roles(dataset_of("p.csv", "t.csv")) == [
            ("p.csv", "a", Role.PREDICTION, Reason.POSITION),
            ("p.csv", "b", Role.PREDICTION, Reason.POSITION),
            ("t.csv", "y", Role.TARGET, Reason.ONLY_CANDIDATE),
        ]

    def test_what_nothing_asks_for_is_unused(self, write):
        write("p.csv", "a,b,c\n1,2,x\n")
        found = dataset_of("p.csv", columns="a,b").columns()
        assert [(column.role, column.reason) for column in found] == [
            (Role.PREDICTION, Reason.OPTION),
            (Role.PREDICTION, Reason.OPTION),
            (Role.UNUSED, Reason.NOT_ASKED_FOR),
        ]
        assert [column.dtype for column in found] == ["float64", "float64", "text"]

    def test_one_file_of_two_roles_is_listed_once(self, write):
        write("d.csv", "p,y\n1,2\n")
        found = dataset_of("d.csv:p", "d.csv:y").columns()
        assert [column.role for column in found] == [Role.PREDICTION, Role.TARGET]

    def test_an_array_is_one_record(self, save):
        save("p.npy", np.zeros((3, 4), np.float32))
        save("v.npy", np.ones(3))
        found = dataset_of("p.npy", None, third="v.npy").columns()
        assert [(column.file, column.position, column.dtype, column.role) for column in found] == [
            ("p.npy", None, "float32", Role.PREDICTION),
            ("v.npy", None, "float64", Role.THIRD_OPERAND),
        ]


class TestDoubts:
    def test_a_first_row_of_numbers_in_order(self, write):
        write("p.csv", "0,1,2\n5,6,7\n")
        doubt = doubts.about_header(Opener(None).open("p.csv", "predictions"))
        with pytest.raises(DataError) as error:
            dataset_of("p.csv")
        assert str(error.value) == str(doubt.error())
        assert doubts.about_header(Opener(True).open("p.csv", "predictions")) is None

    def test_a_column_without_a_name(self, write):
        write("p.csv", ",a\n0,6\n")
        operand = Opener(None).open("p.csv", "predictions")
        doubt = doubts.about_unnamed(operand, [0, 1], "predictions")
        assert len(doubt.cures) == 3
        assert "column 1 has no name" in str(doubt.error())
        assert doubts.about_unnamed(operand, [1], "predictions") is None
        with pytest.raises(DataError, match="column 1 has no name"):
            dataset_of("p.csv")


class TestUnits:
    def test_rows_of_a_whole_file(self):
        units = Units((4, 2))
        assert units.kind == "position"
        assert units.dropped is None
        assert units.original(np.array([1, 3])).tolist() == [1, 3]
        assert units.located(2) == 2
        slopes = np.arange(8.0).reshape(4, 2)
        assert next(units.restored(slopes, 0)).tolist() == slopes.tolist()
        assert next(units.restored(slopes, 0, order=(1, 0))).tolist() == slopes[:, ::-1].tolist()

    def test_rows_that_are_left_out_get_a_gradient_of_zero(self, write, compute):
        write("p.csv", "id,v\na,1\nb,5\nc,2\n")
        write("t.csv", "id,v\na,0\nc,0\n")
        assert compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop", "--gradient", "g.npy").code == 0
        assert np.load("g.npy").tolist() == [2.0, 0.0, 4.0]


def test_the_same_data_on_both_sides_is_said(save, run):
    save("s.npy", np.array([1.0, 2.0]))
    done = run("compute", "mse", "s.npy", "s.npy", "-f", "value")
    assert done.out == "0.0\n"
    assert "same data" in done.err


class TestOneFileInTwoRoles:
    def test_a_glob_is_one_file_in_both(self, compute, write):
        write("v-1.csv", "p,w\n1,2\n3,0\n")
        write("v-2.csv", "p,w\n5,1\n")
        words = ("mse", "v-*.csv", "0", "--sample-weight", "v-*.csv:w", "-f", "value")
        assert compute(*words).value == (2 * 1 + 0 * 9 + 1 * 25) / 3

    def test_so_is_one_without_names(self, compute, write):
        write("z-1.csv", "1.5,0.5,1\n0.5,2.5,0\n")
        write("z-2.csv", "1.5,0.5,0\n")
        losses = np.log1p(np.exp([1.0, 2.0, -1.0]))
        assert compute("ce", "z-*.csv", "z-*.csv:3", "-f", "value").value == pytest.approx(losses.mean())


class TestMessages:
    def test_a_cell_that_is_no_number_in_one_of_two_columns(self, compute, write):
        write("p.csv", "a,note\n1,x\n2,y\n")
        write("t.csv", "label\na\nnote\n")
        compute("ce", "p.csv", "t.csv").refuses(
            3, "pick the columns of predictions with --columns, or name the id column"
        )

    def test_a_column_without_a_name(self, compute, write):
        write("p.csv", ",a,b\n7,1,2\n5,2,4\n")
        write("t.csv", "label\na\nb\n")
        compute("ce", "p.csv", "t.csv").refuses(3, "column 1 has no name", "; pick the others with --columns")

    def test_no_column_is_left(self, compute, write):
        write("d.csv", "y\n1\n0\n")
        compute("bce", "d.csv", "d.csv:y").refuses(3, "d.csv: no column is left for the predictions")

    def test_one_of_two_columns_that_is_called_like_the_targets(self, compute, write):
        write("p.csv", "score,label\n0.5,1\n-2,0\n1.5,1\n")
        write("t.csv", "label\n1\n0\n1\n")
        compute("ce", "p.csv", "t.csv").refuses(3, "'label'", "--columns '!label'")

    def test_a_bad_cell_of_predictions_is_told_before_the_targets_are_read(self, compute, write):
        write("p.csv", "a,b\n1,2\n2,oops\n")
        write("t.csv", "label\na\nc\n")
        compute("ce", "p.csv", "t.csv").refuses(3, "p.csv:3", "oops")


def test_a_column_of_groups_in_the_targets_file_is_no_target(compute, write):
    write("p.csv", "p\n1\n3\n")
    write("t.csv", "y,group\n2,north\n5,south\n")
    found = compute("mse", "p.csv", "t.csv", "--by", "t.csv:group").json
    assert found["value"] == 2.5  # the mean of 1 and 4
