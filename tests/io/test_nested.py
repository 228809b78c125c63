"""Text with brackets within brackets, thousands of them: one line with the place, the fact and the cure, and no word of Python's."""

import pytest
from commands import SAMPLE_DATA as SAMPLES

DEEP = "[" * 5000 + "]" * 5000


def header(text):
    """Return a safetensors file with a header."""
    return len(text).to_bytes(8, "little") + text.encode() + bytes(8)


def refuses(found, *parts):
    found.refuses(3, "nested too deeply", *parts)
    assert "recursion" not in found.err


@pytest.fixture
def put(folder):
    def made(name, content):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return made


def test_jsonl(compute, put):
    refuses(compute("mse", put("p.jsonl", f'{{"x": 1}}\n{{"x": {DEEP}}}\n'), "0"), "p.jsonl:2", "write numbers")


def test_safetensors(compute, put):
    refuses(compute("mse", put("p.safetensors", header(f'{{"a": {DEEP}}}')), "0"), "p.safetensors", "save it again")


def test_suite(run, put):
    content = f'# a suite\n[[measure]]\nname = "["\nx = {DEEP}\n'
    refuses(run("run", put("suite.toml", content)), "suite.toml:4", "two levels")


def test_suite_of_many_lines(run, put):
    refuses(run("run", put("suite.toml", "x = " + "[\n" * 5000)), "suite.toml:101")


def test_baseline(run, put):
    put(
        "suite.toml",
        f'[measure.a]\nloss = "mse"\npredictions = "{SAMPLES}/diabetes_predictions.npy"\ntargets = "{SAMPLES}/diabetes_targets.npy"\n',
    )
    refuses(run("run", "suite.toml", "--baseline", put("b.json", DEEP)), "b.json", "--save")


def test_history(run, put):
    refuses(run("history", put("a.json", DEEP)), "a.json")


def test_calibration_map(run, put):
    p = f"{SAMPLES}/digits_logits.npy"
    refuses(run("calibrate", p, "--map", put("map.json", DEEP), "-o", "q.npy"), "map.json")
