"""Names of losses: aliases, those of frameworks, those with several meanings, statistics, and what is near."""

import re
from types import SimpleNamespace
from typing import ClassVar

import pytest
from peers import ABSENT, FOUND

from losscli.cli.options.losses import options_for
from losscli.errors import UsageError
from losscli.lookup import meanings
from losscli.lookup.meanings import AMBIGUOUS, ELSEWHERE, NEAR, OTHERS, STATISTICS, each_name, plain
from losscli.lookup.names import elsewhere, find
from losscli.lookup.near import nearest, words
from losscli.losses import LOSSES, declared

COMMAND = re.compile(r"losscli compute ([a-z0-9-]+)((?: [^`;()]*)?)")


@pytest.fixture
def no_packages(monkeypatch) -> None:
    """No packages with losses of their own, which are looked for at every unknown name: some 10 ms each time."""
    monkeypatch.setattr("losscli.custom.registered.registered", dict)


def refused(name: str) -> str:
    """The message by which a name is refused."""
    with pytest.raises(UsageError) as error:
        find(name)
    return str(error.value)


@pytest.mark.parametrize("name", ["MSELoss", "CrossEntropyLoss", "BCEWithLogitsLoss", "SparseCategoricalCrossentropy"])
def test_names_of_classes_of_frameworks_are_understood(run, name):
    assert run("explain", name).code == 0


@pytest.mark.quick
def test_names_and_aliases_of_the_contract() -> None:
    table = {
        "squared-error": "mse mean-squared-error",
        "half-squared-error": "l2 l2-loss",
        "absolute-error": "l1 mae mean-absolute-error",
        "huber": "",
        "smooth-l1": "",
        "tukey-biweight": "tukey biweight",
        "hinge": "",
        "squared-hinge": "",
        "ramp": "",
        "sigmoid-cross-entropy": "bce binary-cross-entropy binary-crossentropy bce-with-logits",
        "softmax-cross-entropy": "ce cross-entropy categorical-crossentropy sparse-categorical-crossentropy "
        "sparse-softmax-cross-entropy",
        "kl-divergence": "kl kullback-leibler",
        "sigmoid-focal": "binary-focal focal",
        "softmax-focal": "categorical-focal sparse-focal",
        "center": "center-loss",
    }
    assert set(table) <= set(LOSSES)
    for name, aliases in table.items():
        for alias in aliases.split():
            assert find(alias).name == name
        assert find(name.replace("-", "_").upper()).name == name
    defaults = {loss: dict(LOSSES[loss].bind().parameters) for loss in table}
    assert defaults["huber"] == {"delta": 1}
    assert defaults["smooth-l1"] == {"beta": 1}
    assert defaults["tukey-biweight"] == {"c": 4.6851}
    assert defaults["ramp"] == {"s": -1}
    assert defaults["sigmoid-focal"] == {"gamma": 2, "alpha": None}
    assert defaults["softmax-focal"] == {"gamma": 2}


class TestTables:
    """What is said of names is about losses and options that exist, and every name is in one table only."""

    @pytest.mark.parametrize(("name", "choices"), list(each_name(AMBIGUOUS)))
    def test_ambiguous_names_are_refused_with_losses_that_exist(self, name: str, choices: dict[str, str]) -> None:
        message = refused(name)
        assert "means different losses in different places" in message
        assert set(choices) <= set(LOSSES)
        for loss, text in choices.items():
            assert f"{loss} ({text})" in message
        assert len(choices) > 1, "a name with one meaning is an alias"

    def test_no_alias_is_refused(self) -> None:
        for table in (AMBIGUOUS, STATISTICS, OTHERS, NEAR):
            for name, _ in each_name(table):
                loss = declared(name)
                assert loss is None, f"{name} is a name of {loss.name} now: take it out of losscli/lookup/meanings.py"

    def test_what_means_something_else_elsewhere_is_a_name_of_a_loss(self) -> None:
        for name, _ in each_name(ELSEWHERE):
            assert declared(name) is not None, f"no loss is called {name}: take it out of ELSEWHERE"

    def test_no_name_has_two_entries(self) -> None:
        names = [
            plain(name) for table in (AMBIGUOUS, STATISTICS, OTHERS, NEAR, ELSEWHERE) for name, _ in each_name(table)
        ]
        assert sorted(set(names)) == sorted(names)

    @pytest.mark.usefixtures("no_packages")
    def test_the_commands_that_messages_name_exist(self) -> None:
        for name in [name for table in (STATISTICS, OTHERS, NEAR) for name, _ in each_name(table)]:
            message = refused(name)
            commands = COMMAND.findall(message)
            assert commands, f"{name}: the message names no command: {message}"
            for loss, rest in commands:
                own = declared(loss)
                assert own is not None, f"{name}: {loss} is no loss"
                options = {f"--{option.replace('_', '-')}" for option in own.parameters}
                options |= {item.flag for item in options_for([own.family])} | {"--plus"}
                assert set(re.findall(r"--[a-z-]+", rest)) <= options, f"{name}: {loss} takes no {rest}"


class TestNotes:
    def test_a_name_that_means_something_else_is_noted_once(self, run, save) -> None:
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, 4.0])
        note = f"losscli: note: mape is absolute-percentage-error here; {meanings.meaning('mape')}\n"
        assert run("compute", "mape", p, t).err == note
        assert run("compute", "mape", p, t, "--quiet").err == ""
        assert run("compute", "absolute-percentage-error", p, t).err == ""
        assert run("compute", "mse", p, t, "--plus", "0.5*mape").err == note
        assert run("rank", "mape", p, t).err == note
        assert run("plot", "curves", "mape", "-o", "a.svg").err == note
        assert run("plot", "samples", "mape", p, t, "-o", "a.svg").err == note

    def test_python_and_comparisons_have_the_note_as_well(self, run, save) -> None:
        import losscli

        p, t = [1.0, 2.0, 3.0, 5.0] * 10, [1.0, 4.0, 2.0, 3.0] * 10
        note = f"mape is absolute-percentage-error here; {meanings.meaning('mape')}"
        assert losscli.compute("mape", p, t).notes == [note]
        assert losscli.compute("mae", p, t, plus="mape:epsilon=1").notes == [note]
        assert losscli.rank("mape", p, t).notes == [note]
        assert note in losscli.compare("mape", p, t, targets=t).notes
        a, b = save("a.npy", p), save("b.npy", t)
        assert note in run("compare", "mape", a, b, "--targets", b).err

    def test_a_losss_own_name_in_a_spec_has_no_note(self) -> None:
        assert elsewhere("huber:delta=2", "poisson", "2*tversky:alpha=1") == []
        assert elsewhere("2*MAPE:epsilon=1", "MAPE")[0].startswith("MAPE is absolute-percentage-error here; a fraction")


class TestStatistics:
    """What is no loss is known for what it is, with exit code 2 and the command that gives it."""

    EXPECTED: ClassVar = {
        "rmse": "losscli compute mse PREDICTIONS TARGETS` prints it as rmse",
        "RootMeanSquaredError": "losscli compute mse PREDICTIONS TARGETS` prints it as rmse",
        "rmsle": "losscli compute msle PREDICTIONS TARGETS` prints it as rmsle",
        "perplexity": "losscli compute ce PREDICTIONS TARGETS` prints it as perplexity",
        "ece": "losscli compute ce PREDICTIONS TARGETS --from probs",
        "accuracy": "1 minus the mean of multiclass-zero-one",
        "auc": "losscli does not compute it",
        "roc-auc": "losscli does not compute it",
        "r2": "prints it as skill",
        "f1": "1 minus the loss of `losscli compute dice PREDICTIONS TARGETS`",
        "top-5": "losscli does not compute it; `losscli compute multiclass-zero-one PREDICTIONS TARGETS` is 1 minus top-1",
        "map": "losscli does not compute it",
        "ndcg": "losscli does not compute it",
        "psnr": "10 * log10 of the squared range",
    }

    @pytest.mark.parametrize(("name", "text"), list(EXPECTED.items()))
    @pytest.mark.parametrize("command", ["compute {} p.npy t.npy", "compare {} a b --targets t", "rank {} p t"])
    def test_they_are_refused_with_what_gives_them(self, run, command: str, name: str, text: str) -> None:
        found = run(*command.format(name).split())
        assert found.code == 2
        assert found.err.startswith(f"losscli: {name!r} is a statistic, not a loss: ")
        assert text in found.err

    @pytest.mark.parametrize(("name", "text"), list(EXPECTED.items()))
    def test_they_are_explained(self, run, name: str, text: str) -> None:
        found = run("explain", name)
        assert (found.code, found.err) == (0, "")
        assert found.out.startswith(f"{name}\n  A statistic, not a loss: ")
        assert text.replace("`", "") in " ".join(found.out.split())
        assert found.out.split("\n\nCompute\n  ")[1].startswith("losscli compute ")
        record = run("explain", name, "--format", "json").json
        assert record["commands"]
        assert all(command.startswith("losscli compute ") for command in record["commands"])

    def test_a_statistic_of_files_says_the_command_for_them(self, run, save) -> None:
        p, t = save("p.npy", [1.0, 2.0, 5.0]), save("t.npy", [1.0, 3.0, 4.0])
        found = run("compute", "rmse", p, t, "-f", "json")
        assert found.code == 2
        assert found.err.endswith("; with these files: losscli compute mse p.npy t.npy -f json\n")

    def test_the_commands_print_the_statistics(self, compute, save) -> None:
        p, t = save("p.npy", [1.0, 2.0, 5.0]), save("t.npy", [1.0, 3.0, 4.0])
        found = compute("mse", p, t).json
        assert found["summary"]["rmse"] == pytest.approx((2 / 3) ** 0.5)
        assert found["baseline"]["skill"] == pytest.approx(1 - 2 / (14 / 3))  # R2: the targets' mean is 8 / 3
        assert compute("msle", p, t).json["summary"]["rmsle"] > 0
        found = compute("mae", p, t).json["summary"]
        assert (found["max"], found["p50"]) == (1, 1)
        z, y = save("z.npy", [[0.2, 0.8], [0.6, 0.4]]), save("y.npy", [1, 1])
        found = compute("ce", z, y, "--from", "probs").json["summary"]
        assert {"perplexity", "bits", "ece", "mce"} <= set(found)
        assert found["perplexity"] == pytest.approx((0.8 * 0.4) ** -0.5)

    def test_mcc_is_a_loss_and_says_so(self, compute, save) -> None:
        masks = save("m.npy", [[0.9, 0.2, 0.1, 0.8]]), save("t.npy", [[1, 0, 0, 1]])
        found = compute("matthews-correlation-coefficient", *masks, "--from", "probs")
        assert found.code == 0
        assert "a loss here: 1 minus the coefficient" in found.err


class TestNear:
    """A near name has the same words, at most misspelt."""

    @pytest.mark.parametrize(
        ("typed", "near"),
        list(
            {
                "hubr": "huber",
                "hinje": "hinge",
                "huebr": "huber",
                "hubber": "huber",
                "hubert": "huber",
                "HuberT": "huber",
                "sofmax-cross-entropy": "softmax-cross-entropy",
                "croos_entropy": "cross-entropy",
                "CrosEntropyLoss": "cross-entropy",
                "cross-entorpy": "cross-entropy",
                "entropy-cross": "cross-entropy",
                "tuckey-biweight": "tukey-biweight",
                "lovasz-hinge-error": "lovasz-hinge",
                "lovas-softmax": "lovasz-softmax",
                "NormalizedSoftmaxLoss": "normalized-softmax",
                "normalizd-softmax": "normalized-softmax",
                "squared-hinge-function": "squared-hinge",
                "multimargn": "multi-margin",
                "kulback-leibler": "kullback-leibler",
            }.items()
        ),
    )
    def test_what_is_misspelt_is_found(self, typed: str, near: str) -> None:
        hint = re.fullmatch(
            r"no loss is called '.*' \(did you mean (.*)\?\); `losscli list` shows them all", refused(typed)
        )
        assert hint is not None
        assert find(hint[1]) is find(near)

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("hub", " (did you mean huber?); `losscli list` shows them all"),
            ("Tukey_bi", " (did you mean tukey-biweight?); `losscli list` shows them all"),
            ("squared-h", " (did you mean squared-hellinger or squared-hinge?); `losscli list` shows them all"),
            ("soft", "; `losscli list soft` shows those with this in their names"),
            ("hu", "; `losscli list` shows them all"),
        ],
    )
    def test_the_beginning_of_a_name_leads_to_it(self, typed: str, said: str) -> None:
        assert refused(typed) == f"no loss is called {typed!r}{said}"

    @pytest.mark.usefixtures("no_packages")
    def test_names_of_other_libraries_lead_nowhere_else(self) -> None:
        """Names of losses that losscli does not have: no other loss is offered. One that losscli has meanwhile is found.

        lightly's VICRegLLoss is VICReg of whole samples and of parts of them, and leads to vicreg.
        """
        for name in set(ABSENT) - {"VICRegLLoss"}:
            if declared(name) is None and meanings.instead(name) is None and meanings.choices(name) is None:
                assert refused(name) == f"no loss is called {name!r}; `losscli list` shows them all"

    @pytest.mark.parametrize(("name", "loss"), list(FOUND.items()))
    def test_names_of_other_libraries_lead_to_the_loss_they_mean(self, name: str, loss: str) -> None:
        assert re.search(rf"\b{loss}\b", refused(name)), refused(name)

    def test_there_are_two_hundred_of_them(self) -> None:
        absent = {plain(name) for name in ABSENT if declared(name) is None and meanings.instead(name) is None}
        assert len(absent) >= 200, "losses were added: put other names into tests/support/peers.py"

    @pytest.mark.parametrize(
        "pair",
        [
            "rmse mse",
            "msle mse",
            "smape mape",
            "l1 l2",
            "top-1 top-5",
            "giou ciou",
            "binary-hinge binary-dice",
            "poly-1 poly-2",
            "pair fair",
            "mase mape",
            "mdape mape",
            "smdape smape",
            "tuplet-margin triplet-margin",
            "mae mape",
            "multimargens multi-margin",
        ],
    )
    def test_other_words_are_other_things(self, pair: str) -> None:
        one, other = pair.split()
        assert nearest(one, [other]) is None

    def test_words(self) -> None:
        assert words("CrossEntropyLoss") == words("cross_entropy-loss") == ["cross", "entropy", "loss"]
        assert words("MSELoss") == ["mse", "loss"]


class TestForms:
    """What is well meant, and written in another way."""

    def test_a_spec_with_a_parameter_that_the_loss_lacks(self, run) -> None:
        found = run("compute", "quantile:alpha=0.9", "a", "b")
        assert (found.code, found.err) == (2, "losscli: quantile: no parameter 'alpha'; its parameters: tau\n")
        assert run("compute", "mse:delta=1", "a", "b").err.endswith("no parameter 'delta'; its parameters: none\n")
        run("explain", "huber:gamma=2").refuses(2, "no parameter 'gamma'")
        run("explain", "huber:delta=1,2").refuses(2, "is 2 losses; say one value for each parameter")

    def test_files_before_the_loss(self, run, write) -> None:
        a, b = write("a b.csv", "x\n1\n"), write("b.csv", "x\n2\n")
        found = run("compute", a, b, "mse", "-f", "value")
        assert found.code == 2
        assert (
            found.err
            == "losscli: a b.csv is no loss, and the loss comes first: losscli compute mse 'a b.csv' b.csv -f value\n"
        )
        assert (
            "losscli plot samples mse x.npy y.npy -o z.png"
            in run("plot", "samples", "x.npy", "y.npy", "mse", "-o", "z.png").err
        )
        assert "a b.csv is a file, and no loss is named" in run("compute", a, b).err

    def test_parameters_of_other_losses(self, run) -> None:
        found = run("compute", "softmax-focal", "p", "t", "--alpha", "1,2")
        assert found.code == 2
        assert (
            "softmax-focal takes no --alpha; its parameters: --gamma; weights of classes are --class-weight A,B"
            in found.err
        )
        assert "huber takes no --beta; its parameters: --delta" in run("compute", "huber", "p", "t", "--beta", "1").err
        assert "No such option: --nonsense" in run("compute", "huber", "p", "t", "--nonsense", "1").err

    def test_names_with_colons_in_a_spec(self, run) -> None:
        assert "here it is half-squared-error" in run("rank", "reg:squarederror", "p", "t").err
        assert "here it is half-squared-error" in run("compute", "reg:squarederror", "p", "t").err

    def test_a_library_before_a_name_settles_it(self, monkeypatch) -> None:
        assert find("optax.losses.sparsemax_loss").name == "binary-sparsemax"
        assert find("sparsemax_loss").name == "sparsemax"
        assert find("keras.losses.Poisson").name == find("tf.keras.losses.Poisson").name == "poisson"
        assert find("torch.nn.PoissonNLLLoss").name == "log-poisson"
        assert "different losses" in refused("sklearn.metrics.log_loss")
        calls = [SimpleNamespace(names=("thing",), call="f(p)", loss=loss) for loss in ("huber", "hinge")]
        monkeypatch.setattr("losscli.libraries.libraries", lambda: {"optax": SimpleNamespace(calls=calls)})
        assert "say one of: hinge, huber" in refused("optax.thing")
        assert "say one of: hinge, huber" in refused("thing")
