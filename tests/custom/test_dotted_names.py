"""verify of code by its dotted name: a loss of a package that is installed, with the reference that its name means."""

import sys
from importlib.util import find_spec

import pytest

CODE = """
import numpy as np


def huber_loss(predictions, targets, delta=1.0, reduce=None):
    r = np.abs(predictions - targets)
    return np.where(r <= delta, r * r / 2, delta * (r - delta / 2))


def mse_loss(predictions, targets):
    return (predictions - targets) ** 2 / 2


number = 3
"""


@pytest.fixture
def package(folder, monkeypatch):
    """A package with a module of losses, found as installed ones are."""
    (folder / "mypack" / "inner").mkdir(parents=True)
    (folder / "mypack" / "__init__.py").write_text("")
    (folder / "mypack" / "inner" / "__init__.py").write_text("")
    (folder / "mypack" / "inner" / "losses.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(folder))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "mypack"]:
        del sys.modules[name]


def test_a_dotted_name_is_the_packages_own_code(package, run):
    found = run("verify", "mypack.inner.losses.huber_loss", "-f", "json")
    assert found.code == 0, found.err
    assert found.json["reference"] == "huber:delta=1"
    assert {one["verdict"] for one in found.json["properties"]} <= {"met", "skipped"}
    set_by_spec = run("verify", "mypack.inner.losses.huber_loss:delta=2", "-f", "json")
    assert set_by_spec.json["reference"] == "huber:delta=2"


def test_the_reference_is_found_by_the_name_that_libraries_have_for_it(package, run):
    found = run("verify", "mypack.inner.losses.mse_loss", "-f", "json")
    assert found.code == 1
    assert found.json["reference"] == "squared-error"
    assert found.json["patterns"] == ["a constant factor of 0.5: a half for a whole"]
    assert run("verify", "mypack.inner.losses.mse_loss", "--against", "l2").code == 0


def test_python_verifies_dotted_names_too(package):
    import losscli

    assert losscli.verify("mypack.inner.losses.huber_loss", against="huber").broken == 0
    assert losscli.verify("mypack.inner.losses.mse_loss").broken > 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mypack.inner.losses.huber", "mypack.inner.losses has no 'huber' (did you mean number?)"),
        ("mypack.nothing.mse_loss", "mypack has no 'nothing'"),
        ("mypack.inner.losses.number", "int is no loss"),
        ("nopackage.losses.mse", "nopackage is not installed: pip install nopackage"),
        ("squared_error", "names no code; name FILE.py:NAME"),
    ],
)
def test_what_is_no_loss_is_refused(package, run, name, message):
    if "huber" in name:
        message = message.partition(" (")[0]
    run("verify", name).refuses(2, message)


def test_a_package_that_fails_is_named(folder, monkeypatch, run):
    (folder / "fails_at_import.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(folder))
    run("verify", "fails_at_import.loss").refuses(3, "ZeroDivisionError")


def test_compute_takes_a_librarys_name_for_losscli_s_own_loss(compute, save):
    assert compute("torch.nn.MSELoss", save("p.npy", [1.0, 3.0]), save("t.npy", [0.0, 0.0]), "-f", "value").value == 5.0


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("torch.nn.functional.smooth_l1_loss", "smooth-l1:beta=1"),
        ("torch.nn.HuberLoss", "huber:delta=1"),
        ("torch.nn.functional.cross_entropy", "softmax-cross-entropy"),
    ],
)
def test_losses_of_pytorch(run, name, reference):
    found = run("verify", name, "-f", "json")
    assert (found.code, found.json["reference"]) == (0, reference)


def test_a_file_beside_is_no_package(write, run):
    write("mylosses.py", "")
    run("verify", "mylosses.focal").refuses(2, "mylosses.py is a file here, and no package: mylosses.py:focal")
