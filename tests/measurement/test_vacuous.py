"""Losses that have nothing to compare are the same for all predictions, and say so."""

import pytest


@pytest.mark.parametrize("loss", ["lambdarank", "approx-ndcg", "list-mle", "listnet"])
def test_lists_of_one_item(compute, write, save, loss: str) -> None:
    write("s.csv", "id,q,score,rel\n1,1,0.2,1\n2,1,0.9,3\n3,2,0.1,0\n")
    words = (loss, "s.csv:score", "s.csv:rel", "--group")
    found = compute(*words, "s.csv:id", "--require", "value < 99")
    assert (found.code, found.err.count("nothing-compared: ")) == (0, 1)
    assert "every list has one item" in found.err
    assert "nothing-compared" not in compute(*words, "s.csv:q").err
    column = compute(loss, save("a.npy", [[0.5], [2]]), save("b.npy", [[1], [2]]))
    assert (column.code, "give whole lists" in column.err) == (0, True)


@pytest.mark.parametrize("loss", ["lambdarank", "approx-ndcg"])
def test_relevances_of_0(compute, save, loss: str) -> None:
    scores, none, one = (
        save("s.npy", [[0.1, 0.2], [1, 3]]),
        save("t.npy", [[0, 0], [0, 0]]),
        save("u.npy", [[0, 0], [0, 1]]),
    )
    assert "all relevances are 0" in compute(loss, scores, none).err
    assert "nothing-compared" not in compute(loss, scores, one).err


def test_zlpr_of_one_item_says_something(compute, write) -> None:
    write("s.csv", "id,score,rel\n1,0.2,1\n2,0.9,0\n")
    found = compute("zlpr", "s.csv:score", "s.csv:rel", "--group", "s.csv:id")
    assert (found.code, "nothing-compared" in found.err) == (0, False)


@pytest.mark.parametrize("loss", ["clip", "info-nce", "n-pairs", "siglip"])
def test_one_row(compute, save, loss: str) -> None:
    found = compute(loss, save("a.npy", [[1, 2]]), save("b.npy", [[2, 1]]))
    assert found.code == 0
    assert "nothing to compare it with" in found.err
    two = compute(loss, save("c.npy", [[1, 2], [2, 0]]), save("d.npy", [[2, 1], [3, 4]]))
    assert (two.code, "nothing-compared" in two.err) == (0, False)
