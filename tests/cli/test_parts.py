"""`compute --part` and `merge`: parts that are made one by one give what one pass gives, or are refused."""

import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import fuzz
import numpy as np
import pytest

from losscli.engine import job as engine
from losscli.measurement import parts

ROWS = 700


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Chunks of 64 rows, so that small files have several."""
    monkeypatch.setattr(engine, "CHUNK_ROWS", 64)


@pytest.fixture
def logits(save):
    """Files of logits and labels: names of both."""
    generator = np.random.default_rng(5)
    labels = generator.integers(0, 4, ROWS)
    scores = generator.normal(size=(ROWS, 4)) + 2 * np.eye(4)[labels]
    return save("p.npy", scores.astype(np.float32)), save("t.npy", labels)


@pytest.fixture
def in_parts(run):
    """Make all parts of a computation, and return their names."""

    def make(*words, of=3, folder="."):
        names = [f"{folder}/{number}.part" for number in range(1, of + 1)]
        for number, name in enumerate(names, 1):
            own = [word.replace("{}", str(number)) for word in words]
            done = run("compute", *own, "--part", f"{number}/{of}", "-o", name)
            assert done.code == 0, done.err
        return names

    return make


OPTIONS = [
    ("ce",),
    ("ce", "--label-smoothing", "0.1", "--class-weight", "balanced"),
    ("ce", "--reduction", "sum", "--ignore-index", "2"),
    ("ce", "--as", "torch", "--class-weight", "0=2,1=1,2=1,3=1", "--label-smoothing", "0.1"),
    ("ce", "--per", "file"),
    ("bce", "--per", "class"),
    ("softmax-focal", "--gamma", "0.5"),
    ("brier", "--temperature", "2", "--targets-from", "logits"),
    ("dice", "--activation", "softmax", "--per", "row"),
]


@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("of", [1, 3, 16])
def test_parts_give_what_one_pass_gives(run, in_parts, logits, save, words, of):
    p, t = logits
    if "--targets-from" in words:
        t = save("u.npy", np.random.default_rng(6).normal(size=(ROWS, 4)))
    rows = [] if words[0] == "dice" and of == 1 else ["--per-sample"]
    names = in_parts(words[0], p, t, *words[1:], *rows, of=of)
    assert (
        run("merge", *reversed(names), "-f", "json", *rows).out
        == run("compute", words[0], p, t, *words[1:], *rows, "-f", "json").out
    )
    for form in ("table", "value", "markdown"):
        assert run("merge", *names, "-f", form) == run("compute", words[0], p, t, *words[1:], "-f", form)


@pytest.mark.parametrize("seed", range(24))
def test_parts_of_drawn_inputs(monkeypatch, seed):
    own, case = random.Random(seed), fuzz.made(seed)
    case.write()
    words, rest = [], list(case.plain)
    while rest:
        word = rest.pop(0)
        if word in ("--require", "-o", "--output", "-f", "--format", "--gradient"):
            rest.pop(0)
        elif word != "--per-sample":
            words.append(word)
    monkeypatch.setattr(engine, "CHUNK_ROWS", own.choice([1, 2, 3]))
    monkeypatch.setattr(engine, "BATCH_BYTES", own.choice([8, 64, 200]))
    whole = fuzz.run([*words, "--per-sample", "-f", "json"])
    of = own.choice([1, 2, 3, 5])
    for number in range(1, of + 1):
        done = fuzz.run([*words, "--per-sample", "--part", f"{number}/{of}", "-o", f"{number}.part"])
        if done.code:
            assert done.code in (2, 3)
            assert whole.code or "of all rows" in done.err, done.err
            assert not list(Path().glob(f"{number}.part*"))
            return
    for name in case.files:  # which nobody needs any more
        Path(name).unlink(missing_ok=True)
    assert (
        fuzz.run(["merge", *(f"{number}.part" for number in range(1, of + 1)), "--per-sample", "-f", "json"]) == whole
    )


class TestFilesBesideParts:
    def test_rows_in_every_format(self, run, in_parts, logits):
        names = in_parts("ce", *logits, "--per-sample")
        for suffix in ("csv", "tsv", "jsonl", "npy", "parquet", "json", "md"):
            rows = ["--per-sample"] if suffix in ("json", "md") else []
            assert run("merge", *names, *rows, "-o", f"m.{suffix}", "-f", "value").code == 0
            assert run("compute", "ce", *logits, *rows, "-o", f"c.{suffix}", "-f", "value").code == 0
            assert Path(f"m.{suffix}").read_bytes() == Path(f"c.{suffix}").read_bytes()

    def test_ids_names_and_outputs(self, run, in_parts, write, monkeypatch):
        monkeypatch.setattr(engine, "CHUNK_ROWS", 2)
        p = write("p.csv", "id,cat,dog\na,1,2\nb,0.5,-1\nc,3,1\nd,0,0\ne,2,1\n")
        t = write("t.csv", "id,cat,dog\ne,0,1\nd,1,1\nc,1,0\nb,0,0\na,0.25,1\n")
        words = ("bce", p, t, "--id", "id", "--elements")
        names = in_parts(*words, of=2)
        for form in ("csv", "jsonl", "json"):
            assert (
                run("merge", *names, "-f", form, "--per-sample").out
                == run("compute", *words, "-f", form, "--per-sample").out
            )

    @pytest.mark.parametrize("suffix", ["npy", "csv"])
    def test_gradients(self, run, in_parts, logits, folder, suffix):
        (folder / "g").mkdir()
        names = in_parts("ce", *logits, "--gradient", "g/{}.npy")
        assert run("merge", *names, "--gradient", f"m.{suffix}").code == 0
        assert run("compute", "ce", *logits, "--gradient", f"c.{suffix}").code == 0
        assert Path(f"m.{suffix}").read_bytes() == Path(f"c.{suffix}").read_bytes()

    def test_positions_keep_their_shape(self, run, in_parts, save):
        generator = np.random.default_rng(8)
        p, t = save("p.npy", generator.normal(size=(9, 3, 4, 5))), save("t.npy", generator.integers(0, 3, (9, 4, 5)))
        words = ("ce", p, t, "--class-axis", "1", "--per-sample")
        names = in_parts(*words, "--gradient", "g{}.npy", of=2)
        run("merge", *names, "-o", "m.npy", "--gradient", "mg.npy")
        run("compute", *words, "-o", "c.npy", "--gradient", "cg.npy")
        assert np.load("m.npy").shape == (9, 4, 5)
        assert Path("m.npy").read_bytes() == Path("c.npy").read_bytes()
        assert Path("mg.npy").read_bytes() == Path("cg.npy").read_bytes()

    def test_all_may_move_together(self, run, in_parts, logits, folder):
        (folder / "there").mkdir()
        names = in_parts("ce", *logits, "--per-sample", "--gradient", "g{}.npy")
        for path in [*folder.glob("*.part*"), *folder.glob("g*.npy")]:
            path.rename(folder / "there" / path.name)
        assert run("merge", *(f"there/{name}" for name in names), "--gradient", "m.npy", "-f", "csv").code == 0

    def test_a_folder_or_a_pattern_of_parts(self, run, in_parts, logits, folder):
        (folder / "there").mkdir()
        assert run("merge", "there").code == 3
        names = in_parts("ce", *logits, folder="there")
        for operand in ("there", "there/*.part"):
            assert run("merge", operand, "-f", "json").out == run("merge", *names, "-f", "json").out

    def test_what_parts_do_not_have(self, run, in_parts, logits):
        names = in_parts("ce", *logits)
        for words, cure in ((("-f", "csv"), "--per-sample"), (("--gradient", "m.npy"), "--gradient FILE.npy")):
            done = run("merge", *names, *words)
            assert done.code == 2
            assert cure in done.err

    def test_a_file_of_another_part(self, run, in_parts, logits):
        names = in_parts("ce", *logits, "--per-sample", "--gradient", "g{}.npy")
        shutil.copy("1.part.rows", "2.part.rows")
        done = run("merge", *names, "-f", "csv")
        assert (done.code, "2.part.rows: not the rows of" in done.err) == (3, True)
        shutil.copy("g3.npy", "g1.npy")
        done = run("merge", *names, "--gradient", "m.npy")
        assert (done.code, "the file has changed" in done.err) == (3, True)
        assert not Path("m.npy").exists()
        Path("g1.npy").unlink()
        Path("3.part.rows").unlink()
        assert "copy them beside it" in run("merge", *names, "--gradient", "m.npy").err
        shutil.copy("1.part", "moved.part")
        assert "moved.part.rows: the per-sample rows" in run("merge", "moved.part", *names[1:], "-f", "csv").err


class TestResult:
    def test_requirements_are_those_of_merge(self, run, in_parts, logits):
        names = in_parts("ce", *logits)
        assert run("merge", *names, "--require", "mean < 100").code == 0
        assert run("merge", *names, "--require", "mean > 100").code == 1

    def test_a_user_loss_needs_its_file_no_more(self, run, in_parts, logits, write):
        write("own.py", "import numpy as np\ndef mine(p, t):\n    return np.abs(p).sum(axis=1) + t\n")
        names = in_parts("own.py:mine", *logits)
        whole = run("compute", "own.py:mine", *logits, "-f", "json")
        Path("own.py").unlink()
        merged = run("merge", *names, "-f", "json")
        assert json.loads(merged.out)["value"] == json.loads(whole.out)["value"]

    def test_a_doubt_ends_it_as_in_one_pass(self, run, in_parts, save):
        column = np.arange(ROWS) % 91 * 3.5 + 1
        other = np.random.default_rng(2).normal(size=ROWS)
        p = save("p.npy", np.stack([column, other], axis=1))
        t = save("t.npy", np.stack([column, other + 1], axis=1))
        whole = run("compute", "mse", p, t)
        assert whole.code == 3
        assert whole.err == (
            f"{run('merge', *in_parts('mse', p, t)).err.rstrip()}; with all that is missing: losscli compute mse p.npy t.npy --columns '!1'\n"
        )

    def test_a_fault_ends_its_part(self, run, logits, save):
        scores = np.load("p.npy")
        scores[ROWS // 2, 1] = np.nan
        p = save("bad.npy", scores)
        assert run("compute", "ce", p, "t.npy", "--part", "1/3", "-o", "1.part").code == 0
        done = run("compute", "ce", p, "t.npy", "--part", "2/3", "-o", "2.part", "--per-sample", "--gradient", "g.npy")
        assert (done.code, done.err) == (3, run("compute", "ce", p, "t.npy").err)
        assert sorted(path.name for path in Path().glob("*")) == ["1.part", "bad.npy", "p.npy", "t.npy"]

    def test_files_of_no_rows(self, run, in_parts, save):
        p, t = save("p.npy", np.zeros((0, 3))), save("t.npy", np.zeros(0, int))
        assert run("merge", *in_parts("ce", p, t)).err == run("compute", "ce", p, t).err


class TestRefused:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("--part 0/3 -o 1.part", "not I/N"),
            ("--part 4/3 -o 1.part", "not I/N"),
            ("--part 1 -o 1.part", "not I/N"),
            ("--part 1/3", "say -o FILE.part"),
            ("--part 1/3 -o 1.json", "say -o FILE.part"),
            ("-o 1.part", "must be one of"),
            ("--part 1/3 -o 1.part --require mean<1", "give it to losscli merge"),
            ("--part 1/3 -o 1.part -f json", "give it to losscli merge"),
            ("--part 1/3 -o 1.part --as torch,keras", "name one library"),
            ("--part 1/3 -o 1.part --gradient g.csv", "must be one of .npy"),
            ("--part 1/3 -o 1.part --plus brier", "gives each loss parts|give each loss parts"),
            ("--part 1/3 -o 1.part --per file --gradient g.npy", "leave out --gradient"),
        ],
    )
    def test_options(self, run, logits, words, said):
        done = run("compute", "ce", *logits, *words.split())
        assert done.code == 2
        assert any(one in done.err for one in said.split("|")), done.err
        assert not list(Path().glob("1.part*"))

    @pytest.mark.parametrize(
        "words",
        [
            ("lovasz-softmax", "--per", "file"),
            ("nt-xent",),
            ("supcon",),
            ("dice", "--activation", "softmax", "--per", "file"),
            ("center",),
        ],
        ids=" ".join,
    )
    def test_losses_of_all_rows(self, run, logits, save, words):
        more = ["--centers", save("c.npy", np.eye(4))] if words[0] == "center" else []
        done = run("compute", words[0], *logits, *words[1:], *more, "--part", "1/2", "-o", "1.part")
        if words[0] == "center":
            assert done.code == 0  # whose rows do not meet
        else:
            assert (done.code, "of all rows of the file together" in done.err) == (2, True), done.err

    def test_standard_input(self, run, logits):
        done = run("compute", "ce", "-", logits[1], "--part", "1/2", "-o", "1.part", stdin=Path("p.npy").read_bytes())
        assert (done.code, "can be read only once" in done.err) == (2, True)

    def test_an_input_as_output(self, run, logits):
        shutil.copy("p.npy", "p.part")
        assert run("compute", "ce", *logits, "--part", "1/2", "-o", "t.npy.part").code == 0
        done = run("compute", "ce", "p.npy", "t.npy", "--part", "1/2", "-o", "1.part", "--gradient", "p.npy")
        assert (done.code, "is an input" in done.err) == (2, True)


class TestPartsThatDoNotBelongTogether:
    def test_missing_and_double(self, run, in_parts, logits):
        names = in_parts("ce", *logits, of=4)
        done = run("merge", names[0], names[2])
        assert (done.code, "2 parts of 4 are missing: 2, 4; make them, as with --part 2/4," in done.err) == (3, True), (
            done.err
        )
        shutil.copy("2.part", "again.part")
        assert "both are part 2/4" in run("merge", *names, "again.part").err
        assert run("compute", "ce", *logits, "--part", "1/2", "-o", "half.part").code == 0
        assert "parts of 2 and of 4" in run("merge", *names, "half.part").err

    def test_other_options(self, run, in_parts, logits):
        names = in_parts("ce", *logits, of=2)
        assert run("compute", "ce", *logits, "--label-smoothing", "0.1", "--part", "2/2", "-o", "2.part").code == 0
        done = run("merge", *names)
        assert (done.code, "--label-smoothing: 0.1 and 0.0" in done.err) == (3, True), done.err

    def test_another_loss_or_files_of_other_rows(self, run, in_parts, logits):
        names = in_parts("ce", *logits, of=2)
        for words, said in (
            (("brier", *logits), "(loss: brier and softmax-cross-entropy)"),
            (("ce", *logits, "--per-sample"), "(--per-sample: True and False)"),
        ):
            assert run("compute", *words, "--part", "2/2", "-o", "2.part").code == 0
            done = run("merge", *names)
            assert (done.code, said in done.err) == (3, True), done.err

    def test_other_files_of_the_same_name(self, run, in_parts, logits, save):
        names = in_parts("ce", *logits, of=2)
        labels = np.load("t.npy")
        save("t.npy", np.roll(labels, 1))
        assert run("compute", "ce", *logits, "--part", "2/2", "-o", "2.part").code == 0
        done = run("merge", *names)
        assert (done.code, "t.npy is not the same file for both (of the same size" in done.err) == (3, True), done.err
        save("t.npy", labels)
        assert run("compute", "ce", *logits, "--part", "2/2", "-o", "2.part").code == 0
        assert run("merge", *names).code == 0  # written again: the time plays no part

    def test_copies_elsewhere_are_the_same_files(self, run, logits, folder):
        (folder / "copy").mkdir()
        for name in logits:
            shutil.copy(name, f"copy/{name}")
        assert run("compute", "ce", *logits, "--part", "1/2", "-o", "1.part").code == 0
        assert run("compute", "ce", "copy/p.npy", "copy/t.npy", "--part", "2/2", "-o", "2.part").code == 0
        assert run("merge", "1.part", "2.part", "-f", "json").out == run("compute", "ce", *logits, "-f", "json").out

    def test_another_version(self, run, in_parts, logits, monkeypatch):
        names = in_parts("ce", *logits, of=2)
        monkeypatch.setattr(parts, "__version__", "9.9")
        done = run("merge", *names)
        assert (done.code, "this is losscli 9.9; make the part again" in done.err) == (3, True), done.err

    def test_notes_on_the_files_are_kept(self, run, in_parts, save):
        words = ("mse", save("column.npy", np.ones((ROWS, 1))), save("zeros.npy", np.zeros(ROWS)))
        note = "losscli: note: column.npy: shape (500, 1) was squeezed to (500,)".replace("500", str(ROWS))
        done = run("merge", *in_parts(*words, of=2))
        assert (done.code, note in done.err) == (0, True), done.err

    def test_another_processor_is_a_note(self, run, logits, monkeypatch):
        assert run("compute", "ce", *logits, "--part", "1/2", "-o", "1.part").code == 0
        monkeypatch.setattr(parts, "arithmetic", lambda: {"numpy": "2.0.0", "simd": "NEON"})
        assert run("compute", "ce", *logits, "--part", "2/2", "-o", "2.part").code == 0
        done = run("merge", "1.part", "2.part")
        assert done.code == 0
        assert "simd NEON: part 2" in done.err

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"loss,0.5\n", b"\x93NUMPY" * 50])
    def test_no_parts(self, run, write, content):
        done = run("merge", write("1.part", content))
        assert (done.code, "1.part: not a part" in done.err) == (3, True), done.err

    def test_no_file(self, run):
        assert run("merge", "none.part").code == 3

    def test_damage_is_one_line(self, run, in_parts, logits):
        names = in_parts("ce", *logits, of=2)
        whole = Path("1.part").read_bytes()
        value = run("merge", *names, "-f", "value").out
        for place in range(0, len(whole), max(1, len(whole) // 60)):
            Path("1.part").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
            done = run("merge", *names, "-f", "value")
            assert (done.code == 0 and done.out == value) or (done.code == 3 and done.err.count("\n") == 1), done

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            *(
                ("part", lambda head, key=key: {**head, key: None})
                for key in ("arithmetic", "part", "of", "files", "options", "inputs", "token", "rows")
            ),
            *(
                ("part", lambda head, key=key: {one: held for one, held in head.items() if one != key})
                for key in ("arithmetic", "chunks", "all_chunks")
            ),
            ("part", lambda head: {**head, "part": 5}),
            ("part", lambda head: {**head, "options": {}}),
            ("part", lambda head: {**head, "files": [{}]}),
            ("part", lambda head: {**head, "gradient": {}}),
            ("part", lambda head: {**head, "rows_file": 5}),
            *((name, lambda text: None) for name in ("measurement", "folded", "chunks")),
            ("chunks", lambda text: json.loads(json.dumps(text).replace("fields", "feilds"))),
        ],
    )
    @pytest.mark.parametrize("number", [1, 2])
    def test_changes_that_leave_the_archive_whole(self, run, in_parts, logits, name, change, number):
        names = in_parts("ce", *logits, of=2)
        path = f"{number}.part"
        with zipfile.ZipFile(path) as archive:
            held = {one: archive.read(one) for one in archive.namelist()}
        held[f"{name}.json"] = json.dumps(change(json.loads(held[f"{name}.json"]))).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for one, data in held.items():
                archive.writestr(one, data)
        done = run("merge", *names)
        assert (done.code, done.err.count("\n")) == (3, 1), done

    def test_the_head_of_a_part_is_plain_json(self, in_parts, logits):
        in_parts("ce", *logits, of=2)
        with zipfile.ZipFile("2.part") as archive:
            head = json.loads(archive.read("part.json"))
        assert (head["format"], head["part"], head["of"], head["all_rows"]) == ("losscli part", 2, 2, ROWS)
        assert [file.keys() for file in head["files"]] == [{"file", "bytes", "ends"}] * 2

    def test_nothing_outside_losscli_is_called(self, run, in_parts, logits):
        names = in_parts("ce", *logits, of=1)
        with zipfile.ZipFile("1.part") as archive:
            held = {name: archive.read(name) for name in archive.namelist()}
        for evil in (
            '{"function": "os:system"}',
            '{"type": "subprocess:Popen"}',
            '{"record": "os:system", "fields": {}}',
        ):
            with zipfile.ZipFile("1.part", "w") as archive:
                for name, data in (held | {"measurement.json": evil.encode()}).items():
                    archive.writestr(name, data)
            done = run("merge", *names)
            assert (done.code, "damaged" in done.err) == (3, True), done


EXAMPLES = Path(__file__).parents[2] / "examples" / "parts"


@pytest.fixture
def with_losscli(monkeypatch):
    """The folder of this Python's commands, losscli among them, is looked through first."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("with_losscli")
class TestExamples:
    @pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
    def test_the_makefile_makes_what_is_missing(self, process, logits, folder):
        words = ["make", "-s", "-f", str(EXAMPLES / "Makefile"), "PREDICTIONS=p.npy", "TARGETS=t.npy", "PARTS=2"]
        subprocess.run(words, check=True, capture_output=True, timeout=60)
        whole = json.loads(process("compute", "ce", *logits, "-f", "json").out)
        assert json.loads((folder / "result.json").read_text()) == whole
        before = (folder / "parts/1.part").stat().st_mtime_ns
        (folder / "parts/2.part").unlink()
        subprocess.run(words, check=True, capture_output=True, timeout=60)
        assert (folder / "parts/1.part").stat().st_mtime_ns == before
        assert json.loads((folder / "result.json").read_text()) == whole

    def test_the_job_array(self, run, logits):
        for number in ("1", "2"):
            array = {"SLURM_ARRAY_TASK_ID": number, "SLURM_ARRAY_TASK_MAX": "2"}
            words = [str(EXAMPLES / "array.sh"), "ce", *logits]
            subprocess.run(words, check=True, capture_output=True, timeout=60, env=os.environ | array)
        assert run("merge", "parts/1.part", "parts/2.part", "-f", "value").code == 0
