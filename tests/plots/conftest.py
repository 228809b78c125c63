"""What the tests of pictures share: a Figure that is returned in place of being written, and files to draw."""

import numpy as np
import pytest
from pictures import table
from reference import softmax

from losscli.plots import style


@pytest.fixture
def picture(run, monkeypatch):
    """Run `losscli plot ...` up to the Figure, which is returned in place of being written."""
    caught = []

    def keep(figure, suffix, look, about):
        figure.draw_without_rendering() if call.laid_out else None
        caught.append((figure, about))
        return b"a picture", []

    def call(*words, stdin=b"", laid_out=False):
        call.laid_out = laid_out
        caught.clear()
        done = run("plot", *words, "-o", "picture.png", stdin=stdin)
        assert (done.code, done.out) == (0, ""), done.err
        [(figure, about)] = caught
        figure.said, figure.about = done.err, about
        return figure

    monkeypatch.setattr(style, "render", keep)
    return call


@pytest.fixture
def data(save, write):
    """Files of 60 rows for every kind of loss."""
    generator = np.random.default_rng(6)
    z, s, y = generator.normal(0, 2, (60, 3)), generator.normal(0, 2, 60), generator.integers(0, 3, 60)
    z[np.arange(60), y] += 1  # labels that have nothing to do with the predictions would be warned of
    save("z.npy", z)
    save("q.npy", softmax(z))
    save("lq.npy", np.log(softmax(z)))
    save("s.npy", s)
    save("c.npy", 1 / (1 + np.exp(-s)))
    save("y.npy", y)
    save("b.npy", y % 2)
    save("x.npy", np.round(generator.normal(0, 1, 60)))
    save("m.npy", generator.integers(0, 2, (60, 3)))
    save("r.npy", generator.normal(0, 1, (60, 3)))
    save("w.npy", generator.integers(0, 3, 60))
    save("c2.npy", np.eye(3))
    save("c3.npy", np.eye(3)[::-1])
    write("v.csv", "".join(f"{value!r}\n" for value in s.tolist()))
    ids = [f"r{i}" for i in range(60)]
    write("z.csv", table("id,a,b,c,d", ids, *z.T.tolist(), s.tolist()))
    write("y.csv", table("id,label", ids[::-1], ["abc"[k] for k in y[::-1]]))
    write("w.csv", table("id,w", ids[::-1], range(60)))
