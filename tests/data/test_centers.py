"""Centers as they stand in files: by name, by number, by feature."""

import numpy as np
import pytest


class TestCenters:
    @pytest.mark.parametrize("header", ["class", "Class", "LABEL", "Name"])
    def test_centers_called_by_numbers_need_a_column_of_that_name(self, compute, write, save, header):
        c = write("c.csv", f"{header},a,b\n7,4,2\n8,0,0\n")
        found = compute("center", save("x.npy", [[1, 2]]), write("y.csv", "label\n7\n"), "--centers", c).json
        assert found["value"] == 4.5

    def test_two_centers_of_one_name_are_refused(self, compute, write, save):
        c = write("c.csv", "class,a,b\nowl,0,0\ncat,1,1\ncat,2,2\n")
        words = (save("x.npy", [[1, 1], [2, 2]]), write("y.csv", "label\ncat\ncat\n"), "--centers", c)
        compute("center", *words).refuses(3, "two classes", "'cat'")

    def test_centers_are_matched_to_the_features_by_name(self, compute, write):
        x, y = write("x.csv", "a,b\n1,2\n"), write("y.csv", "label\ncat\n")
        found = compute("center", x, y, "--centers", write("c.csv", "class,b,a\ncat,2,4\ndog,0,0\n")).json
        assert found["value"] == 4.5


def test_centers_of_one_feature_may_stand_in_a_table(save, write, compute):
    save("x.npy", np.array([[1.0], [4.0]]))
    save("y.npy", np.array([0, 1]))
    write("c.csv", "class,a\nfirst,0\nsecond,2\n")
    assert compute("center", "x.npy", "y.npy", "--centers", "c.csv").json["value"] == (0.5 * 1 + 0.5 * 4) / 2


def test_centers_of_another_dialect(compute, save, write):
    p, t = save("p.npy", [[1.0, 0.0], [0.0, 3.0]]), write("t.csv", "label\na\nb\n")
    c = write("c.csv", "class;x;y\na;0;0\nb;0;1\n")
    found = compute("center", p, t, "--centers", c)
    assert found.json["value"] == (1 + 4) / 2 / 2
    assert "c.csv: cells are separated by semicolons" in found.err
