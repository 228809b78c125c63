"""What goes wrong around the numbers: disks that are full, files that change, signals, and files that mean harm.

docs/robustness.md lists what is survived with the test that proves it; the last test here holds the page to that.
"""

import ast
import glob
import io
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from commands import ROOT, start

import losscli
from losscli.engine import evaluate as running
from losscli.io import bytes as bytes_module
from losscli.io import bytes as raw
from losscli.io import operands
from losscli.io.sinks import AtomicFile

ROWS = 20_000
MARKED = [
    "=cmd|' /C calc'!A0",
    "@SUM(1,1)",
    "+1+1",
    "-2+3",
    "[bold]x[/bold]",
    "[/INST]",
    "\x1b[2J\x07",
    "a\rb",
    "\u202eevil",
]


def npy_header(shape, dtype="<f8"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def no_room(monkeypatch):
    """A disk of 1 GB for copies, of which nothing is free, and no memory for them."""

    class Full:
        f_bavail, f_frsize, f_blocks = 0, 4096, 1 << 18

    monkeypatch.setattr(raw, "IN_MEMORY", 1000)
    monkeypatch.setattr(raw.os, "fstatvfs", lambda descriptor: Full)


@pytest.fixture
def files(save):
    labels = np.arange(ROWS) % 3
    return save("z.npy", np.random.default_rng(0).normal(size=(ROWS, 3)) + 2 * np.eye(3)[labels]), save("y.npy", labels)


class TestFullDisk:
    @pytest.mark.parametrize(
        "words",
        [
            "-o x.json --per-sample",
            "-o x.jsonl",
            "-o x.csv",
            "-o x.tsv",
            "-o x.md --per-sample",
            "-o x.npy",
            "-o x.parquet",
            "--gradient x.npy",
            "--gradient x.csv",
        ],
    )
    def test_an_output_that_has_no_room_is_one_line_and_the_old_file_stays(self, files, write, folder, words):
        name = words.split()[1]
        write(name, "old")
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))  # noqa: E731
        with start("compute", "ce", *files, "-q", "-f", "value", *words.split(), preexec_fn=limit) as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (3, b"")
        assert re.fullmatch(rb"losscli: .*[^\n]\n", err)
        assert (folder / name).read_text() == "old"
        assert sorted(path.name for path in folder.iterdir()) == sorted({"z.npy", "y.npy", name})

    @pytest.mark.parametrize("name", ["x.png", "x.svg", "x.pdf"])
    def test_a_picture_that_has_no_room(self, files, write, folder, name):
        write(name, "old")
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))  # noqa: E731
        with start("plot", "samples", "ce", *files, "-q", "-o", name, preexec_fn=limit) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == 3
        assert err.count(b"\n") == 1
        assert (folder / name).read_text() == "old"

    @pytest.mark.parametrize("kind", ["csv.gz", "csv.zst", "pipe", "npz", "parquet", "jsonl"])
    def test_copies_leave_the_disk_some_room(self, compute, write, folder, save, monkeypatch, kind):
        rows = np.random.default_rng(0).normal(size=(3000, 2))
        text = ("a,b\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows.tolist())).encode()
        stdin, p = b"", f"p.{kind}"
        if kind == "csv.gz":
            import gzip

            write(p, gzip.compress(text))
        elif kind == "csv.zst":
            import zstandard

            write(p, zstandard.compress(text))
        elif kind == "npz":
            np.savez_compressed(folder / p, rows)
        elif kind == "parquet":
            pl.DataFrame(rows, schema=["a", "b"]).write_parquet(folder / p)
        elif kind == "pipe":
            p, stdin = "-", text
        else:
            p = save("p.npy", rows)
        no_room(monkeypatch)
        format = ("-f", "jsonl") if kind == "jsonl" else ()
        compute("squared-error", p, "0", *format, stdin=stdin).refuses(3, "no room for a copy", "TMPDIR")

    def test_a_small_copy_is_made_on_a_small_disk(self, monkeypatch):
        class Small:
            f_bavail, f_frsize, f_blocks = 100, 1000, 1000  # 100 kB are free of 1 MB

        monkeypatch.setattr(raw, "IN_MEMORY", 10)
        monkeypatch.setattr(raw.os, "fstatvfs", lambda descriptor: Small)
        made = raw.Spool("x")
        made.write(bytes(70_000))
        with pytest.raises(losscli.errors.DataError, match="no room"):
            made.write(bytes(90_000))


class TestSignals:
    @pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
    @pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
    def test_leave_the_old_file_and_no_other(self, started, save, write, folder, number):
        write("out.csv", "old")
        p = save("p.npy", np.zeros(4_000_000))
        running = started("compute", "l1", p, "0", "-o", "out.csv")
        while running.poll() is None and len(list(folder.iterdir())) < 3:
            time.sleep(0.005)
        running.send_signal(number)
        assert running.wait(30) == 128 + number
        assert (folder / "out.csv").read_text() == "old"
        assert sorted(path.name for path in folder.iterdir()) == ["out.csv", "p.npy"]
        assert running.stderr.read() == b""

    @pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
    @pytest.mark.parametrize("module", ["typer", "numpy", "losscli.io.sinks", "losscli.engine.evaluate"])
    def test_while_modules_are_imported_print_no_trace(self, tiny, name, code, module):
        script = f"""
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{name})

sys.meta_path.insert(0, Finder())
sys.argv = ["losscli", "compute", "ce", *{tiny!r}]
signal.signal(signal.SIGINT, signal.default_int_handler)
from losscli.cli.start import main
main()
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True)
        assert done.returncode == code
        assert (done.stdout, done.stderr) == (b"", b"losscli: interrupted\n" if name == "SIGINT" else b"")

    def test_that_the_caller_ignores_are_ignored(self, tiny):
        script = f"""
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.argv = ["losscli", "compute", "ce", *{tiny!r}, "-f", "value"]
from losscli.cli.start import main
os.kill(os.getpid(), signal.SIGHUP)
main()
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        assert float(done.stdout) == pytest.approx(0.7943090269)

    def test_what_a_killed_run_leaves_is_taken_for_no_data(self, folder):
        file = AtomicFile(folder / "loss.npy")
        left = file.temporary
        assert left is not None
        assert re.fullmatch(r"\.loss\.npy\.\d+-[0-9a-f]{8}\.losscli", left.name)
        assert glob.glob("*.npy") == glob.glob("*") == []
        file.discard()


class TestFilesThatChange:
    """While they are read: nothing is published, and the old output stays."""

    def make(self, folder, kind, value):
        x = np.full((300, 2), value)
        if kind == "npy":
            np.save(folder / "p.npy", x)
        elif kind == "npz":
            np.savez(folder / "p.npz", x)
        elif kind == "csv":
            (folder / "p.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in x))
        else:
            pl.DataFrame(x, schema=["a", "b"]).write_parquet(folder / "p.parquet")
        return folder / f"p.{kind}"

    def change(self, path, how):
        if how == "shrinks":
            os.truncate(path, path.stat().st_size // 3)
        elif how == "grows":
            with path.open("ab") as file:
                file.write(b"0,0\n" * 100)
        else:
            with path.open("r+b") as file:
                file.seek(path.stat().st_size // 2)
                file.write(b"7")
            os.utime(path, ns=(1, 1))

    @pytest.mark.parametrize("how", ["shrinks", "grows", "is written to"])
    @pytest.mark.parametrize("kind", ["npy", "npz", "csv", "parquet"])
    @pytest.mark.parametrize("when", ["losscli.engine.evaluate.evaluate_chunk", "losscli.measurement.prepare.assign"])
    def test_are_refused(self, run, write, folder, save, monkeypatch, kind, how, when):
        path = self.make(folder, kind, 1.0)
        write("x.csv", "old")
        module, name = when.rsplit(".", 1)
        original = getattr(sys.modules[module], name)

        def meddled(*words):
            self.change(path, how)
            return original(*words)

        monkeypatch.setattr(when, meddled)
        done = run("compute", "ce", path.name, save("t.npy", np.zeros(300, int)), "-o", "x.csv")
        assert (done.code, done.out) == (3, "")
        assert re.fullmatch(
            rf"losscli: {path.name}: the file (changed|became shorter) while it was read[^\n]*\n", done.err
        )
        assert (folder / "x.csv").read_text() == "old"

    @pytest.mark.parametrize("kind", ["npy", "npz", "csv", "parquet"])
    def test_that_are_replaced_by_others_are_read_as_they_were(self, run, folder, save, monkeypatch, kind):
        path = self.make(folder, kind, 1.0)
        original = running.evaluate_chunk

        def meddled(*words):
            (folder / "new").mkdir(exist_ok=True)
            os.replace(self.make(folder / "new", kind, 2.0), path)
            return original(*words)

        monkeypatch.setattr("losscli.engine.evaluate.evaluate_chunk", meddled)
        done = run("compute", "squared-error", path.name, "0", "-f", "value")
        assert (done.code, done.out) == (0, "1.0\n")


def test_a_folder_that_may_not_be_searched_is_not_said_to_be_missing(run, monkeypatch):
    stat = os.stat

    def refused(path, *words, **how):
        if str(path).startswith("secret/"):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, *words, **how)

    monkeypatch.setattr(operands.os, "stat", refused)
    run("compute", "l1", "secret/p.npy", "0").refuses(3, "secret/p.npy", "Permission denied", "folder")
    run("compute", "l1", "secret/p.csv:a", "0").refuses(3, "secret/p.csv:a", "Permission denied")


class TestArchives:
    """Members of NPZ archives are unpacked as far as they declare, and only if their header agrees."""

    @pytest.fixture
    def unpacked(self, monkeypatch):
        sizes = []
        pieces = bytes_module.pieces_of

        def counted(stream):
            for piece in pieces(stream):
                sizes.append(len(piece))
                yield piece

        monkeypatch.setattr(bytes_module, "pieces_of", counted)
        return sizes

    def bomb(self, folder, header, size):
        with (
            zipfile.ZipFile(folder / "p.npz", "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("x.npy", "w", force_zip64=True) as file,
        ):
            file.write(header)
            for _ in range(size // 1_000_000):
                file.write(bytes(1_000_000))

    def test_a_member_that_is_longer_than_its_header_says_is_not_unpacked(self, compute, folder, unpacked):
        self.bomb(folder, npy_header((3,)), 300_000_000)
        assert (folder / "p.npz").stat().st_size < 400_000
        compute("l1", "p.npz", "0").refuses(3, "p.npz", "299,999,976 bytes after its array")
        assert unpacked == []

    @pytest.mark.parametrize("shape", [(10**15,), (10**9, 10**9), (5,)])
    def test_a_member_that_promises_more_than_it_has_is_not_unpacked(self, compute, folder, unpacked, shape):
        self.bomb(folder, npy_header(shape), 0)
        compute("l1", "p.npz", "0").refuses(3, "p.npz")
        assert unpacked == []

    def test_a_member_that_the_disk_has_no_room_for_is_not_unpacked(self, compute, folder, unpacked, monkeypatch):
        self.bomb(folder, npy_header((20_000_000 // 8,)), 20_000_000)
        no_room(monkeypatch)
        compute("l1", "p.npz", "0").refuses(3, "20,000,128 bytes", "no room", "TMPDIR")
        assert unpacked == []

    def test_a_member_that_is_longer_than_the_archive_says(self, compute, folder):
        self.bomb(folder, npy_header((2_000_000 // 8,)), 2_000_000)
        data = bytearray((folder / "p.npz").read_bytes())
        entry = data.rindex(b"PK\x01\x02")
        assert struct.unpack_from("<I", data, entry + 24) == (2_000_128,)
        struct.pack_into("<I", data, entry + 24, 1128)
        (folder / "p.npz").write_bytes(data)
        compute("l1", "p.npz", "0").refuses(3, "p.npz")
        # A header that agrees with the lie: unpacking stops where the archive says, and its checksum is wrong.
        with zipfile.ZipFile(folder / "p.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", npy_header((125,)) + bytes(2_000_000))
        data = bytearray((folder / "p.npz").read_bytes())
        struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 1128)
        (folder / "p.npz").write_bytes(data)
        compute("l1", "p.npz", "0").refuses(3, "p.npz", "CRC")

    @pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
    def test_a_byte_that_was_changed_makes_no_number(self, compute, folder, save):
        save(folder / "p.npz", x=np.random.default_rng(0).normal(size=300_000))
        data = bytearray((folder / "p.npz").read_bytes())
        data[len(data) // 2] ^= 1
        (folder / "p.npz").write_bytes(data)
        compute("l1", "p.npz", "0").refuses(3, "p.npz", "write it again")

    def test_thousands_of_members_are_told_in_a_line(self, compute, folder):
        with zipfile.ZipFile(folder / "p.npz", "w") as archive:
            for number in range(3000):
                archive.writestr(f"a{number}.npy", b"")
        done = compute("l1", "p.npz", "0")
        done.refuses(3, "3,000 arrays", "and 2988 more", ":KEY")
        assert len(done.err) < 300

    def test_a_member_with_a_path_for_a_name_is_written_nowhere(self, compute, folder):
        with zipfile.ZipFile(folder / "p.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../../evil.npy", npy_header((2,)) + np.array([1.0, 3]).tobytes())
        assert compute("l1", "p.npz", "0").json["value"] == 2
        assert [path.name for path in folder.iterdir()] == ["p.npz"]
        assert not (folder.parent.parent / "evil.npy").exists()

    def test_an_encrypted_member(self, compute, folder):
        np.savez(folder / "p.npz", np.zeros(3))
        data = bytearray((folder / "p.npz").read_bytes())
        data[6] |= 1
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
        (folder / "p.npz").write_bytes(data)
        done = compute("l1", "p.npz", "0")
        assert done.code in (0, 3)  # what is stored is read where it lies, whatever the flag says
        with zipfile.ZipFile(folder / "q.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", npy_header((3,)) + bytes(24))
        data = bytearray((folder / "q.npz").read_bytes())
        data[6] |= 1
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
        (folder / "q.npz").write_bytes(data)
        compute("l1", "q.npz", "0").refuses(3, "q.npz", "encrypted")


class TestParquet:
    def test_a_damaged_file_makes_one_line(self, folder, save):
        """Polars may panic, which prints a trace and is no Exception."""
        pl.DataFrame({"a": np.random.default_rng(0).normal(size=2000)}).write_parquet(folder / "good.parquet")
        good = (folder / "good.parquet").read_bytes()
        rng = np.random.default_rng(3)
        t = save("t.npy", np.zeros(2000))
        for number in range(4):
            data = bytearray(good)
            for place in rng.integers(0, len(good) if number % 2 else 400, 5):
                data[-1 - place] ^= int(rng.integers(1, 256))
            (folder / "p.parquet").write_bytes(data)
            with start("compute", "squared-error", "p.parquet", t) as process:
                _, err = process.communicate(timeout=60)
            assert process.returncode in (0, 3), err
            assert err.count(b"\n") <= 1

    def test_an_abort_of_polars_ends_in_one_line(self, folder, save):
        """As after two panics, of which the second comes while the first is cleared up."""
        pl.DataFrame({"a": [1.0, 2.0]}).write_parquet(folder / "p.parquet")
        (folder / "out.npy").write_bytes(b"old")
        code = (
            "import os, sys, polars; polars.LazyFrame.collect = lambda *w, **h: os.abort();"
            "from losscli.io.sinks import AtomicFile; from pathlib import Path; file = AtomicFile(Path('out.npy'));"
            "sys.argv[1:] = ['compute', 'mse', 'p.parquet', '0']; from losscli.cli.start import main; main()"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
        assert done.returncode == 3
        assert (
            done.stderr == b"losscli: p.parquet: not a Parquet file that can be read (Polars aborted); write it again\n"
        )
        assert (folder / "out.npy").read_bytes() == b"old"
        assert sorted(os.listdir(folder)) == ["out.npy", "p.parquet"]

    def test_a_panic_is_no_unmet_requirement(self, run, monkeypatch, tiny):
        class PanicException(BaseException):
            pass

        def panics(*words, **how):
            raise PanicException("assertion failed")

        monkeypatch.setattr("losscli.api.prepare", panics)
        run("compute", "ce", *tiny).refuses(70, "PanicException")


class TestNothingIsRun:
    def test_there_is_no_eval_and_no_pickle_in_the_program(self):
        # These run declared formulas and calls of losscli's own tables, never what a file holds.
        own = {Path("analysis", "shared", "oracle", "formulas.py"), Path("analysis", "audit", "subject.py")}
        # What the processes of one pass send each other, over their own pipes or over the user's own cluster; no files.
        own |= {Path("engine", "cluster.py"), Path("engine", "errand.py")}
        for path in Path(losscli.__file__).parent.rglob("*.py"):
            if path.relative_to(Path(losscli.__file__).parent) in own:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    called = ast.unparse(node.func)
                    assert called not in ("eval", "exec", "compile", "np.load", "numpy.load", "__import__"), path
                    assert not any(word.arg == "allow_pickle" for word in node.keywords), path
                if isinstance(node, ast.Import):
                    assert not {name.name for name in node.names} & {"pickle", "marshal", "shelve", "dill"}, path
                if isinstance(node, ast.ImportFrom):
                    assert node.module not in ("pickle", "marshal", "shelve", "dill"), path

    @pytest.mark.parametrize("key", ["descr", "shape", "fortran_order"])
    def test_code_in_a_header_is_no_header(self, compute, write, folder, key):
        fields = {"descr": "'<f8'", "fortran_order": "False", "shape": "(2,)"}
        fields[key] = "__import__('pathlib').Path('owned').touch()"
        text = "{" + ", ".join(f"'{name}': {value}" for name, value in fields.items()) + "}"
        text = text.ljust(118 - len(text) % 64 + 64) + "\n"
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(16)
        compute("l1", write("p.npy", data), "0").refuses(3, "p.npy", "not an NPY file")
        assert not (folder / "owned").exists()

    def test_code_in_names_and_options_is_text(self, compute, write, folder, run):
        code = "__import__('os').system('touch owned')"
        write("p.csv", f'"{code}",b\n1,2\n')
        write("t.csv", f'label\n"{code}"\n')
        assert compute("ce", "p.csv", "t.csv", "-f", "jsonl").lines[0]["target"] == code
        for words in (
            ("--require", f"mean <= {code}"),
            ("--class-weight", f"b={code}"),
            ("--ignore-index", code),
            ("--columns", code),
            ("--classes", code),
            ("--id", code),
        ):
            compute("ce", "p.csv", "t.csv", *words)
        run("plot", "curves", f"huber:delta={code}", "-o", "x.png")
        run("explain", code)
        assert not (folder / "owned").exists()


class TestText:
    """Names and labels are data: unchanged in files, and in tables shown so that they do no harm."""

    @pytest.fixture
    def words(self, save, write):
        import csv

        with open("y.csv", "w", newline="") as file:
            csv.writer(file).writerows([["label"], *[[name] for name in MARKED]])
        out = io.StringIO()
        csv.writer(out, lineterminator="", quoting=csv.QUOTE_ALL).writerow(MARKED)
        k = len(MARKED)
        return "ce", save("z.npy", np.random.default_rng(0).normal(size=(k, k))), "y.csv", "--classes", out.getvalue()

    def test_is_unchanged_in_data(self, compute, words, folder):
        assert [row["target"] for row in compute(*words, "-f", "jsonl").lines] == MARKED
        for name in ("x.csv", "x.tsv", "x.jsonl", "x.parquet"):
            assert compute(*words, "-o", name).code == 0
        assert pl.read_parquet(folder / "x.parquet")["target"].to_list() == MARKED
        assert pl.read_csv(folder / "x.csv")["target"].to_list() == MARKED
        assert pl.read_csv(folder / "x.tsv", separator="\t")["target"].to_list() == MARKED

    @pytest.mark.parametrize("format", ["table", "markdown"])
    def test_is_shown_without_harm(self, compute, words, format):
        shown = compute(*words, "-f", format, "--per-sample").out
        for name in MARKED[:6]:
            assert (name if format == "table" else name.replace("|", "\\|")) in shown
        assert r"\x1b[2J\x07" in shown
        assert r"\u202eevil" in shown
        assert not set(shown) & {"\x1b", "\x07", "\r", "\u202e"}

    def test_is_shown_without_harm_on_a_terminal(self, words, monkeypatch):
        from losscli.definition.request import Request
        from losscli.lookup.names import find
        from losscli.measurement.per_sample import columns
        from losscli.measurement.prepare import prepare
        from losscli.render.result import to_table
        from losscli.render.screen import Screen

        made = prepare(Request(find("ce").bind(), *words[1:3], classes=words[4]), rows=True)
        rows = []
        result = made.run(lambda chunk: rows.append(columns(made, chunk.rows[0], nested=True)))
        listed = [dict(zip(rows[0], row, strict=True)) for row in zip(*rows[0].values(), strict=True)]
        shown = to_table(result, listed, Screen(100, True))
        for name in MARKED[:6]:
            assert name in shown
        assert r"\x1b[2J\x07" in shown
        assert "\x1b[2J" not in shown
        assert not set(shown) & {"\x07", "\r", "\u202e"}

    def test_is_shown_without_harm_in_errors_and_warnings(self, compute, run, save):
        name = "a\x1b]0;owned\x07\n.npy"
        save(name, [0.2, 0.3])
        compute("l1", name, save("t.npy", [1, 2, 3])).refuses(3, r"a\x1b]0;owned\x07 .npy")
        run("check", name, save("u.npy", [0, 1]))
        warned = compute("bce", name, "u.npy").err
        assert warned.count("\n") == 1
        assert r"a\x1b]0;owned\x07 .npy" in warned
        assert "\x1b" not in run("check", name, "u.npy").out

    @pytest.mark.parametrize("format", ["json", "table", "markdown", "csv"])
    def test_names_of_files_that_are_no_utf_8(self, tiny, folder, format):
        os.rename(tiny[0], b"z\xff.npy")
        with start("compute", "ce", b"z\xff.npy", tiny[1], "-f", format, "-o", "x.json") as process:
            _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
        assert rb"z\udcff.npy" in (folder / "x.json").read_bytes()

    def test_names_of_code_that_are_no_utf_8(self, tiny):
        with open(b"z\xff.py", "w") as file:
            file.write("def mine(p, t):\n    return 1.5 + 0 * p.sum(axis=1)\n")
        with start("compute", b"z\xff.py:mine", *tiny, "--from", "logits", "-f", "json") as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, json.loads(out)["value"]) == (0, 1.5), err

    def test_names_of_classes_that_are_no_csv(self, run, tiny):
        run("compute", "ce", *tiny, "--classes", "a\rb,c,d").refuses(2, "--classes", "quotes")

    def test_names_of_classes_that_are_no_utf_8(self, tiny):
        with start("compute", "ce", *tiny, "--classes", b"a\xff,b,c") as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (2, b"")
        assert err.startswith(b"losscli: --classes")
        assert err.count(b"\n") == 1


def test_every_test_that_the_page_names_exists():
    page = (ROOT / "docs" / "robustness.md").read_text()
    named = re.findall(r"`((?:\w+/)*test_\w+)\.py::(?:(\w+)::)?(\w+)`", page)
    assert len(named) > 20
    for module, group, test in named:
        tree = ast.parse((ROOT / "tests" / f"{module}.py").read_text())
        scope = tree.body
        if group:
            scope = next(node.body for node in scope if isinstance(node, ast.ClassDef) and node.name == group)
        assert any(isinstance(node, ast.FunctionDef) and node.name == test for node in scope), (module, group, test)
