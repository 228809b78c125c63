"""The receipt's signature has whatever makes numbers differ."""

import pytest

pytestmark = pytest.mark.quick


class TestSignature:
    @pytest.mark.parametrize(
        ("words", "part"),
        [
            (("--ignore-index", "7", "--columns", "*"), "ignore:7"),
            (("--over-outputs", "sum"), "over-outputs:sum"),
            (("--pos-weight", "2"), "pos-weight:2"),
            (("--pos-weight", "0=2,1=3"), "pos-weight:2,3"),
            (("--class-weight", "0=2,1=3"), "class-weight:2,3"),
            (("--label-smoothing", "0.1"), "smoothing:half-0.1"),
            (("--from", "probs"), "from:probs"),
            (("--sample-weight", "w.npy"), "sample-weight:w.npy"),
            (("--reduction", "sum"), "reduction:sum"),
        ],
    )
    def test_what_makes_numbers_differ_is_in_the_signature(self, compute, save, words, part):
        save("w.npy", [1, 2])
        t = save("t.npy", [0, 1] if "--ignore-index" in words else [[0, 1], [1, 0]])
        found = compute("bce", save("p.npy", [[0.1, 0.9], [0.5, 0.2]]), t, *words).json
        assert part in found["signature"].split("|")
        plain = compute("bce", "p.npy", t, "--columns", "*").json["signature"].split("|")
        assert part not in plain
