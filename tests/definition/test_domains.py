"""Parameters outside their domains are refused, through the command line."""

import pytest


class TestParameterDomains:
    @pytest.mark.parametrize(
        ("words", "part"),
        [
            ("huber p.npy t.npy --delta 0", "delta"),
            ("huber p.npy t.npy --delta=-1", "delta"),
            ("huber p.npy t.npy --delta nan", "delta"),
            ("huber p.npy t.npy --delta wide", "delta"),
            ("smooth-l1 p.npy t.npy --beta=-1", "beta"),
            ("tukey p.npy t.npy --c 0", "c"),
            ("ramp p.npy t.npy --s 1", "s"),
            ("sigmoid-focal p.npy t.npy --gamma=-0.5", "gamma"),
            ("sigmoid-focal p.npy t.npy --alpha 1.5", "alpha"),
            ("softmax-focal p.npy t.npy --gamma=-1", "gamma"),
            ("bce p.npy t.npy --label-smoothing 1", "--label-smoothing"),
            ("bce p.npy t.npy --label-smoothing=-0.1", "--label-smoothing"),
            ("bce p.npy t.npy --label-smoothing nan", "--label-smoothing"),
            ("bce p.npy t.npy --smoothing-mode some", "--smoothing-mode"),
            ("bce p.npy t.npy --from scores", "--from"),
            ("bce p.npy t.npy --reduction average", "--reduction"),
            ("bce p.npy t.npy --over-outputs max", "--over-outputs"),
            ("bce p.npy t.npy -f yaml", "--format"),
            ("bce p.npy t.npy --pos-weight=-1", "--pos-weight"),
            ("bce p.npy t.npy --pos-weight many", "--pos-weight"),
            ("bce p.npy t.npy --pos-weight a=1", "--pos-weight"),
            ("bce p.npy t.npy --class-weight 0=-1", "--class-weight"),
            ("bce p.npy t.npy --class-weight 0=1,0=2", "--class-weight"),
            ("bce p.npy t.npy --class-weight 5=1", "--class-weight"),
            ("bce p.npy t.npy --ignore-index many", "--ignore-index"),
            ("bce p.npy t.npy --elements", "--elements"),
            ("mse p.npy t.npy --from probs", "--from"),
            ("mse p.npy t.npy --label-smoothing 0.1", "--label-smoothing"),
            ("mse p.npy t.npy --class-weight balanced", "--class-weight"),
            ("hinge p.npy t.npy --pos-weight 2", "--pos-weight"),
            ("mse p.npy t.npy --delta 1", "--delta"),
            ("mse p.npy t.npy --sample-wieght w.npy", "--sample-weight"),
            ("mse p.npy", "TARGETS"),
            ("mse p.npy t.npy more.npy", "more.npy"),
            ("mse p.npy t.npy --columns a", "--columns"),
            ("mse p.npy t.npy --reduction none -f value", "--reduction none"),
            ("mse p.npy 0 --ignore-index 3", "--ignore-index"),
            ("mse p.npy t.npy -o result.txt", ".json"),
            ("mse p.npy t.npy --gradient slopes.json", ".npy"),
        ],
    )
    def test_outside_its_domain_is_a_usage_error(self, run, save, folder, words, part):
        save("p.npy", [0.5, 2.0]), save("t.npy", [1, 0])
        before = sorted(path.name for path in folder.iterdir())
        run("compute", *words.split()).refuses(2, part)
        assert sorted(path.name for path in folder.iterdir()) == before

    @pytest.mark.parametrize("words", ["huber --delta 1e300", "ramp --s 0.999", "sigmoid-focal --gamma 0 --alpha 0"])
    def test_the_edge_of_a_domain_is_inside(self, compute, save, words):
        p, t = save("p.npy", [0.5, 2.0]), save("t.npy", [1, 0])
        loss, *options = words.split()
        assert compute(loss, p, t, *options).code == 0
