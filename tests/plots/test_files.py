"""Pictures of files: layout, names, the files that hold them, and what is refused."""

import io
import math
import os
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from commands import npy, start
from pictures import marks, names_of, near, numbers_of_anything, of_text, overlap, panel, table, ticks
from PIL import Image

from losscli.plots import style


@pytest.mark.parametrize("name", [b"\xff.npy", b"a\x01.npy"])
def test_names_of_files_that_are_no_text(run, save, folder, name):
    save("z.npy", 9 * np.eye(3))
    save("y.npy", [0, 1, 2])
    os.rename(b"z.npy", name)
    done = run("plot", "reliability", os.fsdecode(name), "y.npy", "-o", "x.svg")
    assert (done.code, done.out) == (0, "")
    ElementTree.parse(folder / "x.svg")
    assert run("plot", "features", os.fsdecode(name), "y.npy", "-o", "x.png").code == 0


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("samples", "ce", "p", "t", "--require", "mean<1"), ("plot samples takes no --require", "losscli compute")),
        (("samples", "--id", "id", "ce", "p", "t"), ("--id comes after the loss",)),
        (("reliability", "p", "t", "--sample-weight", "w"), ("No such option", "--sample-weight")),
    ],
)
def test_options_that_are_not_for_this_picture(run, words, parts):
    run("plot", *words, "-o", "x.png").refuses(2, *parts)


def assert_nothing_hides_anything(figure):
    boxes = [axes.patch.get_window_extent() for axes in figure.axes]
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()] + list(figure.legends)
    for part in legends:
        for box in boxes:
            assert overlap(part.get_window_extent(), box) <= 1
        for other in legends:
            assert other is part or overlap(part.get_window_extent(), other.get_window_extent()) <= 1
    outer = [axes.get_tightbbox() for axes in figure.axes]
    for i, one in enumerate(outer):
        for other in outer[i + 1 :]:
            assert overlap(one, other) <= 1
    assert all(overlap(part.get_window_extent(), box) <= 1 for part in figure.legends for box in outer)
    texts = [text for text in (figure._suptitle, figure._supxlabel) if text is not None and text.get_text()]
    for text in texts:
        for box in [*outer, *(part.get_window_extent() for part in figure.legends)]:
            assert overlap(text.get_window_extent(), box) <= 1
    return legends


class TestLayout:
    @pytest.mark.parametrize(
        ("words", "legends"),
        [("ce z.npy y.npy", 4), ("bce s.npy b.npy --theme dark", 4), ("mse z.npy r.npy --sample-weight w.npy", 3)],
    )
    @pytest.mark.usefixtures("data")
    def test_of_samples(self, picture, words, legends):
        drawn = picture("samples", *words.split(), laid_out=True)
        assert len(assert_nothing_hides_anything(drawn)) == legends

    def test_of_samples_of_many_classes_with_long_names(self, picture, write, save):
        names = [f"a class with a long name, number {k}".replace(",", "") for k in range(25)]
        z = np.random.default_rng(0).normal(0, 1e5, (50, 25))
        p = write("p.csv", table(",".join(names), *z.T.tolist()))
        drawn = picture("samples", "ce", p, save("t.npy", np.arange(50) % 25), laid_out=True)
        assert len(assert_nothing_hides_anything(drawn)) == 4

    @pytest.mark.usefixtures("data")
    def test_of_reliability(self, picture):
        drawn = picture("reliability", "z.npy", "y.npy", laid_out=True)
        assert len(assert_nothing_hides_anything(drawn)) == 1

    @pytest.mark.parametrize("classes", [2, 30])
    def test_of_features(self, picture, save, write, classes):
        x = save("x.npy", np.random.default_rng(0).normal(size=(90, 2)))
        y = write("y.csv", table("label", [f"class number {i % classes}" for i in range(90)]))
        drawn = picture("features", x, y, laid_out=True)
        assert len(assert_nothing_hides_anything(drawn)) == 1


ODD = [
    "$x$ & <y>",
    "_hidden",
    "a very long name of a class that goes on and on and on",
    "Ωμέγα",
    "日本",
    "a\x07b",
    "two\nlines",
]


class TestNames:
    """Names are drawn as they stand, whatever they hold; what cannot be drawn has a mark in its place."""

    def check(self, texts):
        wanted = ["$x$ & <y>", "_hidden", "a very long …d on and on", "Ωμέγα", "日本", "a\ufffdb", "two lines"]
        missing = [name for name in wanted if not any(text.startswith(name) for text in texts)]
        assert not missing, texts
        assert not any(set("\x07\n") & set(text) for text in texts)
        assert all(len(text) < 50 for text in texts)
        assert any("…" in text for text in texts)

    @pytest.fixture
    def classes(self, write):
        quoted = [f'"{name}"' for name in ODD]
        z = (np.eye(len(ODD)) * 9).tolist()
        write("z.csv", table(",".join(quoted), *z))
        write("y.csv", table("label", quoted))
        write("x.csv", table("u,v", range(len(ODD)), range(len(ODD))))

    @pytest.mark.usefixtures("classes")
    def test_of_classes(self, picture):
        drawn = picture("samples", "ce", "z.csv", "y.csv", "--panel", "classes")
        self.check(ticks(panel(drawn)))
        assert not any(label.get_parse_math() for label in panel(drawn).get_yticklabels())

    @pytest.mark.usefixtures("classes")
    def test_of_features(self, picture):
        drawn = picture("features", "x.csv", "y.csv")
        self.check(names_of(drawn))
        assert len(of_text(panel(drawn))) == len(ODD)
        assert not any(text.get_parse_math() for text in drawn.legends[0].get_texts())

    @pytest.mark.parametrize("words", ["samples ce z.csv y.csv --panel classes", "features x.csv y.csv"])
    @pytest.mark.usefixtures("classes")
    def test_in_a_file_of_text(self, run, words):
        done = run("plot", *words.split(), "-o", "o.svg")
        assert (done.code, done.out) == (0, "")
        assert done.err == ""  # what is text is drawn in a font of the reader's
        written = " ".join(ElementTree.parse("o.svg").getroot().itertext())
        assert all(name in written for name in ("$x$ & <y>", "_hidden", "Ωμέγα", "日本"))

    @pytest.mark.parametrize("name", ["o.png", "o.pdf"])
    @pytest.mark.usefixtures("classes")
    def test_that_the_font_lacks_letters_is_said_once(self, run, name):
        done = run("plot", "features", "x.csv", "y.csv", "-o", name, "--dpi", "40")
        assert (done.code, done.out) == (0, "")
        assert done.err == "losscli: warning: the font lacks letters of a name, which are drawn as boxes\n"

    @pytest.mark.usefixtures("classes")
    def test_quiet(self, run):
        done = run("plot", "features", "x.csv", "y.csv", "-o", "o.png", "-q", "--dpi", "40")
        assert (done.code, done.out, done.err) == (0, "", "")


COMMANDS = {
    "samples": "samples ce z.npy y.npy --panel concentration",
    "reliability": "reliability z.npy y.npy",
    "features": "features r.npy y.npy",
}


@pytest.fixture
def refused(run, write, folder):
    """Run a command that is refused, and leaves all files as they were, the old picture too."""
    write("old.png", "an old picture")

    def look():
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def call(line, code, *parts, output="old.png", stdin=b""):
        before = look()
        words = line.split() if isinstance(line, str) else line
        run("plot", *words, *([] if output is None else ["-o", output]), stdin=stdin).refuses(code, *parts)
        assert look() == before

    return call


@pytest.mark.usefixtures("data")
class TestFiles:
    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize("name", ["o.png", "o.SVG", "o.pdf"])
    def test_are_whole(self, run, folder, command, name):
        held = {path.name for path in folder.iterdir()}
        done = run("plot", *COMMANDS[command].split(), "-o", name, "--size", "6,5", "--dpi", "40", "--title", "Mine")
        assert (done.code, done.out, done.err) == (0, "", "")
        assert {path.name for path in folder.iterdir()} == held | {name}
        data = (folder / name).read_bytes()
        if name.endswith("png"):
            image = Image.open(io.BytesIO(data))
            image.load()
            assert (image.format, image.size) == ("PNG", (240, 200))
            assert data.endswith(b"IEND\xaeB`\x82")
            assert image.text["Title"] == "Mine"
        elif name.endswith("pdf"):
            assert data.startswith(b"%PDF-")
            assert data.rstrip().endswith(b"%%EOF")
            assert b"(Mine)" in data
        else:
            root = ElementTree.fromstring(data)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert (root.get("width"), root.get("height")) == ("432pt", "360pt")
            assert "Mine" in list(root.itertext())

    @pytest.mark.parametrize("name", ["o.svg", "o.pdf", "o.png"])
    def test_the_same_command_writes_the_same_bytes(self, run, folder, name):
        words = [*COMMANDS["samples"].split(), "-o", name]
        assert run("plot", *words).code == 0
        first = (folder / name).read_bytes()
        assert run("plot", *words).code == 0
        assert (folder / name).read_bytes() == first

    def test_an_old_file_is_replaced(self, run, folder, write):
        write("o.svg", "old")
        assert run("plot", *COMMANDS["features"].split(), "-o", "o.svg").code == 0
        assert b"old" not in (folder / "o.svg").read_bytes()[:100]

    def test_a_picture_may_stand_elsewhere(self, run, folder):
        (folder / "pictures").mkdir()
        assert run("plot", *COMMANDS["features"].split(), "-o", "pictures/o.svg").code == 0
        assert [path.name for path in (folder / "pictures").iterdir()] == ["o.svg"]

    def test_standard_output_as_a_device(self):
        with start("plot", *COMMANDS["samples"].split(), "-o", "/dev/stdout") as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
        assert Image.open(io.BytesIO(out)).format == "PNG"

    @pytest.mark.parametrize("command", COMMANDS)
    def test_standard_input(self, picture, folder, command):
        first, second = COMMANDS[command].split()[-2:] if command != "samples" else ("z.npy", "y.npy")
        words = COMMANDS[command].split()
        expected = numbers_of_anything(picture(*words, "-q"))
        for name in (first, second):
            piped = ["-" if word == name else word for word in words]
            found = picture(*piped, "-q", stdin=(folder / name).read_bytes())
            assert numbers_of_anything(found) == expected

    def test_a_column_of_standard_input(self, picture):
        s, b = np.load("s.npy"), np.load("b.npy")
        stdin = table("n,label", range(60), b).encode()
        drawn = picture("samples", "bce", "s.npy", "-:label", "--panel", "distribution", stdin=stdin)
        assert marks(panel(drawn))["mean"] == near(np.logaddexp(0, np.where(b == 1, -s, s)).mean())

    def test_a_number_for_all_targets(self, picture):
        drawn = picture("samples", "mse", "s.npy", "-3", "--panel", "distribution")
        assert marks(panel(drawn))["mean"] == near(((np.load("s.npy") + 3) ** 2).mean())


@pytest.mark.usefixtures("data")
class TestErrors:
    """One line, an exit code, and a folder as it was."""

    @pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
    class TestOfEveryPicture:
        @pytest.mark.parametrize("name", ["o.jpg", "o", "o.png.gz", "o.npy", ".", ""])
        def test_an_unknown_suffix(self, refused, command, name):
            refused(command, 2, "--output", ".png, .svg, .pdf", output=name)

        def test_a_folder_that_does_not_exist(self, refused, command):
            refused(command, 3, "nowhere/o.png", "cannot be written", output="nowhere/o.png")

        def test_a_folder_in_the_file_s_place(self, refused, command, folder):
            (folder / "pictures.png").mkdir()
            refused(command, 3, "pictures.png", "folder", output="pictures.png")

        def test_a_write_protected_file(self, refused, command, folder, monkeypatch):
            (folder / "old.png").chmod(0o444)
            # A superuser may write all the same; what the system says to others is said here.
            monkeypatch.setattr("losscli.io.sinks.os.access", lambda path, mode: False)
            refused(command, 3, "old.png", "cannot be written", "write-protected")

        def test_a_full_disk(self, refused, command, monkeypatch):
            def full(descriptor):
                raise OSError(28, "No space left on device")

            monkeypatch.setattr("losscli.io.sinks.os.fsync", full)
            refused(command, 3, "old.png", "cannot be written", "No space left")

        @pytest.mark.parametrize("place", [1, 2])
        def test_an_output_that_is_an_input(self, refused, command, folder, place):
            words = command.split()
            first = 2 if words[0] == "samples" else 1
            name = words[first + place - 1]
            (folder / name).rename(folder / "input.png")
            words[first + place - 1] = "input.png"
            refused(words, 2, "input.png", "input", output="input.png")

        def test_an_output_that_leads_to_an_input(self, refused, command, folder):
            name = command.split()[2 if command.startswith("samples") else 1]
            (folder / "link.svg").symlink_to(name)
            refused(command, 2, "link.svg", "input", output="link.svg")

        @pytest.mark.parametrize(
            "words",
            ["--size 0,3", "--size 3", "--size a,b", "--size 3,nan", "--size 101,3", "--size=-3,3", "--size 3,3,3"],
        )
        def test_a_size_that_is_none(self, refused, command, words):
            refused(f"{command} {words}", 2, "--size")

        def test_a_size_that_is_too_small(self, refused, command):
            refused(f"{command} --size 1,1", 2, "--size 1,1", "too small")

        @pytest.mark.parametrize("words", ["--dpi 9", "--dpi 1201", "--dpi 10.5", "--dpi many", "--dpi=-5"])
        def test_a_dpi_that_is_none(self, refused, command, words):
            refused(f"{command} {words}", 2, "--dpi")

        def test_too_many_pixels(self, refused, command):
            refused(f"{command} --dpi 1000 --size 30,3", 2, "--size 30,3", "20,000 pixels")

        @pytest.mark.parametrize("words", ["--theme blue", "--nothing", "--title a --title b"])
        def test_options_that_make_no_sense(self, refused, command, words):
            refused(f"{command} {words}", 2, words.split()[0])

        def test_a_missing_file(self, refused, command):
            for name in ("z.npy", "r.npy", "y.npy"):
                if name in command:
                    refused(command.replace(name, "none.npy"), 3, "none.npy", "no such file")

        def test_files_of_different_length(self, refused, command, save):
            save("y.npy", [0, 1])
            refused(command, 3, "60 rows", "2")

        def test_no_rows(self, refused, command, save):
            for name in ("z.npy", "r.npy"):
                save(name, np.zeros((0, 3)))
            save("y.npy", np.zeros(0, int))
            refused(command, 3, ".npy", "no samples left", "no rows")

        def test_all_rows_ignored(self, refused, command, save):
            save("y.npy", np.full(60, 7))
            refused(f"{command} --ignore-index 7", 3, ".npy", "no samples left", "ignored")

        def test_a_nan(self, refused, command, save):
            for name in ("z.npy", "r.npy"):
                array = np.load(name)
                array[[40, 50], [2, 0]] = math.nan
                save(name, array)
            refused(command, 3, ".npy[40, 2]", "nan" if command.startswith("features") else "NaN")

        def test_a_cell_that_is_no_number(self, refused, command, write):
            p = write("p.csv", "a,b,c\n" + "1,2,3\n" * 58 + "1,2,x\n1,2,3\n")
            refused(command.replace("z.npy", p).replace("r.npy", p), 3, "p.csv:60", '"c"', "'x'")

        def test_standard_input_twice(self, refused, command):
            words = command.replace("z.npy", "-").replace("r.npy", "-").replace("y.npy", "-")
            refused(words, 2, "'-'", stdin=npy(np.zeros((3, 2))))

        def test_empty_standard_input(self, refused, command):
            refused(command.replace("y.npy", "-"), 3, "standard input")

    @pytest.mark.parametrize(
        ("line", "code", "parts"),
        [
            ("samples ce z.npy", 2, ["TARGETS"]),
            ("samples nothing z.npy y.npy", 2, ["nothing"]),
            ("samples nll z.npy y.npy", 2, ["different losses"]),
            ("samples huber s.npy x.npy --delta 0", 2, ["delta"]),
            ("samples ce z.npy y.npy --label-smoothing 1", 2, ["--label-smoothing"]),
            ("samples ce z.npy y.npy --panel all", 2, ["--panel"]),
            ("samples center r.npy y.npy", 2, ["--centers"]),
            ("samples ce s.npy y.npy", 3, ["s.npy", "(60,)"]),
            ("samples mse z.npy x.npy", 3, ["(60, 3)", "(60,)"]),
            ("samples ce s.npy s.npy", 3, ["s.npy"]),
            ("samples bce s.npy y.npy", 3, ["y.npy", "2"]),
            ("samples ce z.npy y.npy --sample-weight w.npy --class-weight x=1", 2, ["--class-weight"]),
            ("samples ce z.npy y.npy --from probs", 3, ["z.npy", "not a probability"]),
            ("reliability z.npy y.npy --bins 0", 2, ["--bins 0"]),
            ("reliability z.npy y.npy --bins=-1", 2, ["--bins -1"]),
            ("reliability z.npy y.npy --bins 1001", 2, ["--bins 1001", "1000"]),
            ("reliability z.npy y.npy --bins 2.5", 2, ["--bins"]),
            ("reliability z.npy y.npy --binning area", 2, ["--binning"]),
            ("reliability z.npy y.npy --from odds", 2, ["--from"]),
            ("reliability z.npy y.npy --from probs", 3, ["z.npy", "not a probability"]),
            ("reliability z.npy y.npy --from log-probs", 3, ["z.npy", "not a log-probability"]),
            ("reliability z.npy q.npy", 3, ["q.npy", "soft targets"]),
            ("reliability s.npy c.npy", 3, ["c.npy", "soft targets"]),
            ("reliability z.npy x.npy", 3, ["x.npy"]),
            ("reliability s.npy y.npy", 3, ["y.npy"]),
            ("reliability z.npy m.npy", 3, ["m.npy"]),
            ("features s.npy y.npy", 3, ["s.npy", "(60,)"]),
            ("features r.npy q.npy", 3, ["q.npy", "(60, 3)"]),
            ("features r.npy s.npy", 3, ["s.npy", "not a class"]),
            ("features r.npy y.npy --centers none.npy", 3, ["none.npy", "no such file"]),
            ("features z.npy y.npy --centers w.npy", 3, ["w.npy", "(60,)"]),
            ("features r.npy q.npy --centers c2.npy", 3, ["q.npy", "soft"]),
            ("features r.npy y.npy --ignore-index x", 2, ["--ignore-index x"]),
            ("features r.npy y.npy --columns a", 2, ["--columns", "1 ... 3"]),
            ("features z.csv y.npy --id id", 3, ["y.npy", "'id'"]),
        ],
    )
    def test_what_makes_no_sense(self, refused, line, code, parts):
        refused(line, code, *parts)

    @pytest.mark.parametrize(("value", "word"), [(math.inf, "inf"), (-math.inf, "-inf")])
    @pytest.mark.parametrize("d", [2, 3])
    def test_an_infinite_feature(self, refused, save, value, word, d):
        x = np.zeros((60, d))
        x[7, 1] = value
        refused(f"features {save('x.npy', x)} y.npy", 3, "x.npy[7, 1]", word, "finite")

    def test_one_feature(self, refused, save):
        refused(f"features {save('x.npy', np.zeros((60, 1)))} y.npy", 3, "x.npy", "(60, 1)", "two features")

    def test_one_column_of_several_is_no_plane(self, refused):
        refused("features z.csv:a y.npy", 3, "z.csv", "(60,)")

    def test_a_picture_in_place_of_the_centers(self, refused, folder):
        (folder / "c2.npy").rename(folder / "c.png")
        refused("features r.npy y.npy --centers c.png", 2, "c.png", "input", output="c.png")

    def test_a_picture_in_place_of_the_weights(self, refused, folder):
        (folder / "w.npy").rename(folder / "w.png")
        refused("samples ce z.npy y.npy --sample-weight w.png", 2, "w.png", "input", output="w.png")

    def test_all_weights_are_zero(self, refused, save):
        save("w.npy", np.zeros(60))
        refused("samples ce z.npy y.npy --sample-weight w.npy", 3, "weights are 0")

    def test_a_negative_weight(self, refused, save):
        save("w.npy", np.arange(60.0) - 3)
        refused("samples ce z.npy y.npy --sample-weight w.npy", 3, "w.npy[0]", "-3", "negative")

    def test_a_defect_on_the_way_leaves_nothing(self, refused, monkeypatch):
        def broken(*words):
            raise RuntimeError("broken")

        monkeypatch.setattr(style, "render", broken)
        for line in COMMANDS.values():
            refused(line, 70, "a defect of losscli")
