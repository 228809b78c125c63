"""The JSON Schema of suites, by a validator of its own: it takes what `losscli run` takes, and refuses what that refuses."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from losscli.analysis.suite.schema import json_schema
from losscli.cli.options.losses import OF_SUITES
from losscli.render.suite import EXAMPLE

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).parents[3]
DRAFTS = (jsonschema.Draft4Validator, jsonschema.Draft7Validator, jsonschema.Draft202012Validator)
"""taplo knows draft 4; other editors know later ones."""
WHOLE = re.sub(r"^# (\[measure|terms|  \{|\]|require|by =|baseline =|tolerance =)", r"\1", EXAMPLE, flags=re.MULTILINE)
ONE = '[measure.one]\nloss = "ce"\npredictions = "z.npy"\ntargets = "y.npy"\n'
MANY = (
    'name = "all"\nbaseline = "b.json"\ntolerance = { absolute = 1, relative = 0.5, statistic = "p99" }\n'
    '[defaults]\nid = "id"\nas = "torch"\nfrom = "probs"\npos-weight = 2\nrequire = "mean < 1"\n'
    + ONE
    + "id = false\nas = false\n"
    'from = false\nlabel-smoothing = 0\nlabel-base = 1\nclass-weight = { cat = 2, "a dog" = 0.5 }\n'
    'ignore-index = -100\nclasses = ["cat", "a,b"]\nheader = false\nsmoothing-mode = "half"\ntolerance = {}\n'
    '[measure."a sum"]\nrequire = []\ntolerance = { statistic = "value" }\n'
    'terms = [{ loss = "l2", predictions = "w.npy", targets = 0, weight = -1 }]\n'
)


def blocks(document):
    """The suites that a document shows."""
    text = (ROOT / document).read_text()
    return re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)


SUITES = {
    "example": EXAMPLE,
    "whole example": WHOLE,
    "sample data": (ROOT / "sample_data" / "losscli.toml").read_text(),
    "many keys": MANY,
    **{f"{name} {i}": text for name in ("docs/ci.md", "docs/training.md") for i, text in enumerate(blocks(name), 1)},
}


@pytest.fixture(scope="module")
def schema():
    return json_schema(OF_SUITES)


def test_is_what_the_command_prints(run, schema):
    done = run("run", "--schema")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == schema


@pytest.mark.parametrize("draft", DRAFTS)
def test_is_a_schema(schema, draft):
    draft.check_schema(schema)
    assert next(iter(schema)) == "$schema"


@pytest.mark.parametrize("name", SUITES)
def test_takes_the_suites_of_the_documents_and_examples(schema, name):
    found = [error for draft in DRAFTS for error in draft(schema).iter_errors(tomllib.loads(SUITES[name]))]
    assert [error.message for error in found] == []


def test_the_documents_show_suites():
    assert [len(blocks(name)) for name in ("docs/ci.md", "docs/training.md")] == [2, 1]


@pytest.mark.parametrize("text", SUITES.values(), ids=SUITES)
def test_what_it_takes_is_no_fault_of_the_command(run, write, text):
    """The files are missing, so that nothing is measured: code 3, and no usage error."""
    write("s.toml", text.replace('baseline = "b', '# "b'))
    assert run("run", "s.toml").code == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "measures = 1\n",
        "[measure]\n",
        "[measure.a]\n",
        "[measure.a]\nterms = []\n",
        ONE + "lable-smoothing = 0.1\n",
        ONE + 'terms = [{ loss = "l1" }]\n',
        ONE + 'label-smoothing = "0.1"\n',
        ONE + "label-base = 0.5\n",
        ONE + "header = 1\n",
        ONE + "id = true\n",
        ONE + 'from = "prob"\n',
        ONE + 'per = "rwo"\n',
        ONE + "require = 1\n",
        ONE + "tolerance = { absolut = 1 }\n",
        ONE + "tolerance = { absolute = -1 }\n",
        ONE + 'tolerance = { statistic = "men" }\n',
        ONE + 'as = "pytorch2"\n',
        ONE + "class-weight = { cat = '2' }\n",
        ONE.replace('"ce"', "3"),
        ONE.replace('"z.npy"', "[1]"),
        ONE.replace('"z.npy"', '" "'),
        "[defaults]\nloss = 'ce'\n" + ONE,
    ],
)
def test_refuses_what_the_command_refuses(schema, run, write, text):
    assert [draft(schema).is_valid(tomllib.loads(text)) for draft in DRAFTS] == [False] * len(DRAFTS)
    write("s.toml", text)
    run("run", "s.toml").refuses(2, "s.toml")


def test_has_every_option_with_its_help_and_default(schema):
    for name in ("Defaults", "Measurement", "Term"):
        keys = schema["$defs"][name]["properties"]
        assert set(OF_SUITES) <= set(keys)
        for key, option in OF_SUITES.items():
            assert keys[key]["description"] == option.annotation.__metadata__[0].help
            assert keys[key].get("default") == option.default


def test_describes_every_key_and_table(schema):
    tables = [schema, *schema["$defs"].values()]
    assert all("description" in table for table in tables)
    keys = [(name, key) for table in tables for name, key in table["properties"].items()]
    assert [name for name, key in keys if not {"description", "$ref"} & set(key)] == []


def test_the_table_of_keys_in_the_document_is_whole(schema):
    text = (ROOT / "docs" / "ci.md").read_text()
    top = {"defaults": "[defaults]", "measure": "[measure.NAME]"}
    assert all(f"| `{top.get(key, key)}` |" in text for key in schema["properties"])
    tables = {"Measurement", "Sum"}
    own = {key for name in tables for key in schema["$defs"][name]["properties"]} - set(OF_SUITES)
    assert all(f"`{key}`" in text.partition("key of a measurement")[2] for key in own)


class TestRefusals:
    """What is said of keys and values: the place, the fact and the nearest that is right."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (ONE + 'smoothing-mode = "unifrom"\n', "measure.one.smoothing-mode: 'unifrom' is not uniform or half or others (did you mean uniform?)"),
            (ONE + 'per = "rwo"\n', "measure.one.per: 'rwo' is not position or sample or class or sample,class or file or row or column (did you mean row?)"),
            (ONE + "label-base = 1.0\n", "measure.one.label-base: 1.0 is not a whole number"),
            (ONE + "class-weight = { cat = 'x' }\n", "measure.one.class-weight.cat: 'x' is not a number that a float64 holds"),
            (ONE + 'class-weight = { "a,b" = 1 }\n', "measure.one.class-weight.a,b: a name with a comma"),
            (ONE + 'require = ["mean < 1", 3]\n', "measure.one.require[2]: 3 is not a text in quotes"),
            (ONE + "id = true\n", "measure.one.id: True is not a text in quotes"),
            ('[measure.a]\nterms = [{ loss = "l1" }, { los = "l2" }]\n', "measure.a.terms[2].los: no such key (did you mean loss?)"),
            ("[measure.a]\n", "measure.a: has no loss; say loss = 'cross-entropy'"),
            ('[measure.a]\nloss = "l1"\n', "measure.a: has no predictions; say predictions = 'FILE', there or in [defaults]"),
            ("[measure]\na = 1\n", "measure.a: is not a table; write [measure.a] with keys below it"),
            ("[measure.a]\nterms = 1\n", "measure.a.terms: is not a list of terms"),
            (ONE + "when = 2020-01-01\n", "measure.one.when: no such key; parameters of a loss stand in its SPEC"),
            (ONE.replace('"z.npy"', "2020-01-01"), "measure.one.predictions: datetime.date(2020, 1, 1) is neither a file's name in quotes nor a number"),
            (ONE + f"ignore-index = 0x{'f' * 5000}\n", "measure.one.ignore-index: a whole number of thousands of digits is not a number"),
            (ONE + "form = 1\nheader = 2\n", "measure.one.form: no such key (did you mean from?)"),
            (ONE + "header = 2\n[measure.two]\nlos = 1\n", "measure.two.los: no such key (did you mean loss?)"),
        ],
    )  # fmt: skip
    def test_name_the_place_the_fact_and_the_cure(self, run, write, text, message):
        write("s.toml", text)
        done = run("run", "s.toml")
        done.refuses(2)
        assert done.err.startswith(f"losscli: s.toml: {message}")
        assert done.err.count("\n") == 1
