"""Files of torch.save, read by PyTorch itself; and what is said where it is not installed."""

import importlib.util
import sys

import numpy as np
import pytest

LOGITS = np.random.default_rng(0).normal(size=(6, 3))
LABELS = np.arange(6) % 3
MEAN = (np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(6), LABELS]).mean()
SAVED_OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


@needs_torch
class TestWithTorch:
    @pytest.fixture
    def torch(self):
        import torch

        return torch

    def value(self, compute, save, operand):
        return compute("ce", operand, save("t.npy", LABELS), "-f", "value").value

    @pytest.mark.parametrize("how", [{}, {"_use_new_zipfile_serialization": False}], ids=["archive", "old"])
    @pytest.mark.parametrize("name", ["p.pt", "p.pth", "p.bin", "p"])
    def test_a_tensor(self, compute, save, torch, name, how):
        torch.save(torch.tensor(LOGITS), name, **how)
        assert self.value(compute, save, name) == pytest.approx(MEAN, rel=1e-14)

    def test_what_knows_its_gradient(self, compute, save, torch):
        torch.save(torch.tensor(LOGITS, requires_grad=True), "p.pt")
        assert self.value(compute, save, "p.pt") == pytest.approx(MEAN, rel=1e-14)
        torch.save(torch.nn.Parameter(torch.tensor(LOGITS)), "p.pt")
        assert self.value(compute, save, "p.pt") == pytest.approx(MEAN, rel=1e-14)

    @pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
    def test_types(self, compute, save, torch, dtype):
        rounded = torch.tensor(LOGITS, dtype=getattr(torch, dtype))
        torch.save(rounded, "p.pt")
        exact = save("p.npy", rounded.float().numpy())
        assert self.value(compute, save, "p.pt") == pytest.approx(self.value(compute, save, exact), rel=1e-6)

    def test_keys(self, compute, save, torch):
        torch.save({"logits": torch.tensor(LOGITS), "labels": torch.tensor(LABELS), "epoch": 3}, "p.pt")
        assert compute("ce", "p.pt:logits", "p.pt:labels", "-f", "value").value == pytest.approx(MEAN, rel=1e-14)
        compute("ce", "p.pt", "0").refuses(3, "p.pt: holds 2 tensors (logits, labels); say which, as p.pt:KEY")
        compute("ce", "p.pt:logit", "0").refuses(3, "no tensor 'logit'", "did you mean logits?")
        torch.save({"logits": torch.tensor(LOGITS), "epoch": 3}, "p.pt")
        assert self.value(compute, save, "p.pt") == pytest.approx(MEAN, rel=1e-14)
        torch.save([torch.tensor(LOGITS), torch.tensor(LABELS)], "p.pt")
        assert compute("ce", "p.pt:0", "p.pt:1", "-f", "value").value == pytest.approx(MEAN, rel=1e-14)

    def test_standard_input(self, compute, save, torch, folder):
        torch.save(torch.tensor(LOGITS), "p.pt")
        words = ("ce", "-", save("t.npy", LABELS), "-f", "value")
        assert compute(*words, stdin=(folder / "p.pt").read_bytes()).value == pytest.approx(MEAN, rel=1e-14)

    def test_code_is_never_run(self, compute, torch, folder):
        class Evil:
            def __reduce__(self):
                return open, ("ran", "w")

        torch.save(Evil(), "p.pt")
        compute("mse", "p.pt", "0").refuses(3, "p.pt", "which could run code", "numpy.save(")
        assert not (folder / "ran").exists()

    def test_other_contents(self, compute, torch):
        torch.save({"epoch": 3}, "p.pt")
        compute("mse", "p.pt", "0").refuses(3, "p.pt: holds a dict without tensors", "torch.save(tensor, file)")
        torch.save(torch.tensor(2.0), "p.pt")
        compute("mse", "p.pt", "0").refuses(3, "p.pt: shape () is one number")
        torch.save(torch.full((2, 3, 4), 2.0), "p.pt")
        assert compute("mse", "p.pt", "0").json["value"] == 4

    def test_damage(self, compute, torch, write, folder):
        torch.save(torch.tensor(LOGITS), "p.pt")
        data = (folder / "p.pt").read_bytes()
        for cut in (1, 100, len(data) - 60):
            compute("mse", write("q.pt", data[:-cut]), "0").refuses(3, "q.pt")


@pytest.mark.parametrize("name", ["p.pt", "p.bin"])
def test_without_torch(compute, write, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "torch", None)
    compute("mse", write(name, SAVED_OLD), "0").refuses(3, name, "pip install torch", "numpy.save(")


def test_a_file_that_only_its_name_says_to_be_one(compute, write):
    compute("mse", write("p.pt", "1\n2\n"), "0").refuses(3, "p.pt")
