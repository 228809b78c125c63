"""Commas between whole numbers: columns, decimal numbers, or a doubt with both cures."""

import math
import random

import pytest

DOUBT = ("without a header", "--decimal ,", "--sep ,")


class TestDoubt:
    def test_two_files_of_pairs_are_refused_until_an_option_says_what_they_are(self, compute, write):
        p, t = write("p.csv", "1,5\n2,5\n"), write("t.csv", "1,0\n2,0\n")
        compute("mse", p, t).refuses(3, "p.csv:1: 1,5", *DOUBT)
        assert compute("mse", p, t, "--decimal", ",").json["value"] == 0.25
        assert compute("mse", p, t, "--sep", ",").json["value"] == (25 + 25) / 4
        assert compute("mse", p, t, "--decimal", ".").json["value"] == (25 + 25) / 4

    @pytest.mark.parametrize("loss", ["mse", "bce", "hinge"])
    @pytest.mark.parametrize("p", ["0,05\n1,25\n", "-0,5\n1,2\n", "0,25\n0,875\n1,5\n"])
    def test_cells_that_are_written_as_decimals_are_doubtful_in_any_file(self, compute, write, save, loss, p):
        t = save("t.npy", [0, 1, 1][: p.count("\n")])
        compute(loss, write("p.csv", p), t).refuses(3, "p.csv:1", *DOUBT)

    def test_probabilities_of_several_classes(self, compute, write, save):
        p, t = write("p.csv", "0,25,0,75\n0,875,0,125\n"), save("t.npy", [1, 0])
        compute("ce", p, t).refuses(3, "p.csv:1: 0,25,0,75", "--sep ,", "';'")
        write("s.csv", "0,25;0,75\n0,875;0,125\n")
        assert compute("ce", "s.csv", t, "--decimal", ",", "--from", "probs").json["value"] == pytest.approx(
            -(math.log(0.75) + math.log(0.875)) / 2
        )

    @pytest.mark.parametrize(("loss", "t", "value"), [("mse", [1.5, 2.0], 0.125), ("hinge", [1, -1], (0 + 3.5) / 2)])
    def test_two_columns_beside_one_target(self, compute, write, save, loss, t, value):
        p, t = write("p.csv", "1,5\n2,5\n"), save("t.npy", t)
        compute(loss, p, t).refuses(3, "p.csv:1: 1,5", *DOUBT)
        assert compute(loss, p, t, "--decimal", ",").json["value"] == value

    def test_in_a_file_of_tabs(self, compute, write):
        p = write("p.tsv", "1,5\n2,5\n")
        compute("l1", p, "0").refuses(3, "p.tsv:1: '1,5'", "--decimal ,", "--sep ,")
        assert compute("l1", p, "0", "--decimal", ",").json["value"] == 2
        assert compute("l1", p, "0", "--sep", ",").json["value"] == (1 + 5 + 2 + 5) / 4

    def test_shards_are_looked_at(self, compute, write):
        write("p-1.csv", "1,5\n")
        write("p-2.csv", "2,5\n")
        compute("mse", "p-*.csv", write("t.csv", "1,0\n2,0\n")).refuses(3, "p-1.csv:1", *DOUBT)

    def test_targets_are_looked_at(self, compute, write):
        compute("ce", write("q.csv", "1.5,2\n0,1\n"), write("t.csv", "0,05\n1,5\n")).refuses(3, "t.csv:1", *DOUBT)


class TestHealthyFiles:
    @pytest.mark.parametrize(
        ("loss", "p", "t"),
        [
            ("mse", "1,5\n2,5\n", "1.0,0\n2,0\n"),  # a point
            ("mse", "1,-5\n2,5\n", "1,0\n2,0\n"),  # a sign within a number
            ("mse", "a,b\n1,5\n2,5\n", "a,b\n1,0\n2,0\n"),  # a header
            ("mse", "1,5,3\n2,5,4\n", "1,0,3\n2,0,3\n"),  # three columns
            ("mse", "12,30\n7,5\n", "10,10\n6,120\n"),  # neither all decimals nor the fewest that are needed
            ("mse", "1,2,3,4\n5,6,7,8\n", "1,2,3,5\n5,6,7,9\n"),  # whole numbers in four columns
            ("ce", "2,0\n0,2\n", "0\n1\n"),  # a loss over classes needs two columns
            ("dice", "1,0\n0,1\n", "1,0\n1,1\n"),  # masks
            ("bce", "1,0\n0,1\n", "1,0\n1,1\n"),
            ("bce", "3,1\n4,2\n", "0\n1\n"),  # two columns of outcomes may be two classes
        ],
    )
    def test_are_not_bothered(self, compute, write, loss, p, t):
        found = compute(loss, write("p.csv", p), write("t.csv", t))
        assert "--decimal" not in found.err

    @pytest.mark.parametrize("rows", ["1,5\n2\n", "1,5\n2,5,6\n", '1,5\n"2,5\n', "1,5\n\n2,5\n"])
    def test_damaged_rows_have_messages_of_their_own(self, compute, write, rows):
        found = compute("mse", write("p.csv", rows), write("t.csv", "1,0\n2,0\n"))
        found.refuses(3, "p.csv")

    def test_matrices_of_whole_numbers(self, compute, write):
        draw = random.Random(0)
        names = [
            write(name, "".join(f"{draw.randint(10, 99)},{draw.randint(10, 99)}\n" for _ in range(200)))
            for name in ("p.csv", "t.csv")
        ]
        assert compute("mse", *names).code == 0

    def test_named_columns(self, compute, write):
        p, t = write("p.csv", "1,5\n2,5\n"), write("t.csv", "1,0\n2,0\n")
        assert compute("mse", f"{p}:2", f"{t}:1").json["value"] == (16 + 9) / 2
        assert compute("mse", p, t, "--columns", "1,2").json["value"] == 12.5
