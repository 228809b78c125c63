"""Text on a terminal: how wide it is, where lines are broken, and what messages look like."""

import io

import pytest

from losscli.render.screen import Screen, command_lines, message, whole, width_of, wrapped
from losscli.render.table import Table, code_lines, laid_out
from losscli.render.text import against, apart, brief, brief_rows, facts_in, number


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.79430902, "0.7943"),
            (5.53466e-05, "5.535e-05"),
            (12345.678, "12346"),
            (1234567.0, "1234567"),
            (9999999.7, "1e+07"),
            (-2.0, "-2"),
            (float("inf"), "inf"),
            (None, "-"),
        ],
    )
    def test_have_four_digits_or_their_whole_part(self, value, text):
        assert number(value, 4) == text

    def test_elsewhere_all_or_seven(self):
        assert number(0.1 + 0.2, None) == "0.30000000000000004"
        assert number(12345.6789, 7) == "12345.68"

    @pytest.mark.parametrize(
        ("value", "limit", "text"),
        [(0.164922, 0.16492, "0.164922"), (0.5, 0.2, "0.5"), (0.2, 0.2, "0.2"), (0.19999999, 0.2, "0.19999999")],
    )
    def test_beside_a_limit_show_their_side_of_it(self, value, limit, text):
        assert against(value, limit, 4) == text

    def test_unequal_ones_look_unequal(self):
        assert apart([1.0, 1.00001], 4, 1e-12) == 6
        assert apart([1.0, 1.00001], 4, 1e-4) == 4
        assert apart([1.0, None, float("inf")], 4, 0) == 4

    def test_in_sentences_are_short_where_that_hides_nothing(self):
        assert brief("p99 is 2.260483817108696", 4) == "p99 is 2.26"
        assert brief("mean is 0.16492211150115", 4, "mean <= 0.16492") == "mean is 0.164922"
        assert brief("0.26718001 before, 0.26719001 now", 4) == "0.26718 before, 0.26719 now"
        assert brief("a/run_0.123456789/x.npy", 4) == "a/run_0.123456789/x.npy"
        assert brief("mean is 0.16492211150115", None) == "mean is 0.16492211150115"

    def test_of_a_row_are_told_apart(self):
        table = Table("x", [{"call": "f:a=0.123456", "gives": "1.0000123", "truth": "1.0000195", "n": 3}])
        (row,) = brief_rows(table, 4).rows
        assert row == {"call": "f:a=0.123456", "gives": "1.00001", "truth": "1.00002", "n": 3}
        assert brief_rows(table, None).rows == table.rows


class TestWidth:
    @pytest.mark.parametrize(
        ("text", "width"), [("abc", 3), ("猫", 2), ("e\u0301", 1), ("ｗ", 2), ("é", 1), ("ก็", 1), ("❤\ufe0f", 1)]
    )
    def test_is_that_of_terminals(self, text, width):
        assert width_of(text) == width


class TestLines:
    def test_are_broken_between_words_only(self):
        assert wrapped("one two three", 7) == ["one two", "three"]
        assert wrapped("one two", None) == ["one two"]

    def test_a_word_that_is_wider_than_the_screen_stays_whole(self):
        assert wrapped("a " + "b" * 30, 20) == ["a", "b" * 30]

    @pytest.mark.parametrize(
        "unit", ["95.3 %", "[1, 2, 3]", "[#   #  ]", "(p - t)**2", "'a b'", whole("a name").replace(" ", "?")]
    )
    def test_what_belongs_together_stays_together(self, unit):
        for width in range(20, 40):
            assert unit.replace("\ufdd0", " ") in "\n".join(wrapped(f"some words before {unit} and some behind", width))

    def test_a_signature_ends_lines_between_its_parts(self):
        text = "loss:softmax-cross-entropy|from:logits|class-weight:1.0285714285714285,0.972972972972973|reduction:mean"
        assert wrapped(text, 40) == [
            "loss:softmax-cross-entropy|from:logits|",
            "class-weight:1.0285714285714285,",
            "0.972972972972973|reduction:mean",
        ]

    def test_python_goes_on_where_python_allows_it(self):
        call = "torch.nn.functional.cross_entropy(torch.tensor(p), torch.tensor(t), label_smoothing=0.1)"
        for width in (40, 60, 80):
            lines = code_lines(call, Screen(width))
            assert max(map(len, lines)) <= width
            assert compile("\n".join(lines), "x", "eval").co_names == compile(call, "x", "eval").co_names
        assert code_lines(call, Screen()) == [call]

    def test_a_command_goes_on_behind_a_backslash(self):
        line = "losscli compute mse predictions.csv targets.csv --id id --columns p"
        lines = command_lines(line, Screen(40))
        assert max(map(len, lines)) <= 40
        assert " ".join("\n".join(lines).replace("\\\n", " ").split()) == line


class TestFacts:
    def test_a_long_value_goes_on_below_itself(self):
        lines = facts_in([("a", "x"), ("name", "some words that are many")], Screen(20))
        assert lines == ["a     x", "name  some words", "      that are many"]

    def test_a_name_too_long_for_its_column_has_its_value_below(self):
        lines = facts_in([("mean", "1"), ("require a very long name", "NOT MET (3.25)")], Screen(30))
        assert lines == ["mean  1", "require a very long name", "      NOT MET (3.25)"]

    def test_in_a_pipe_are_never_broken(self):
        assert facts_in([("a", "x " * 100 + "y")], Screen()) == ["a  " + "x " * 100 + "y"]


ROWS = [
    {"sample": 3, "name": "a-long-name-of-a-class", "loss": 0.123456789, "p": 0.987654321, "why": "it is far off"},
    {"sample": 14, "name": "猫猫猫", "loss": 12.0, "p": 0.5, "why": "it lies at the end of the range, and beyond"},
]
DECLARED = Table("rows", ROWS, less=("p", "loss"), prose=("why",))


def shown(table, width, encoding="utf-8", colour=False):
    screen = Screen(width, colour, encoding)
    return laid_out(table, screen, lambda value: number(value, 4) if isinstance(value, float) else str(value))


class TestTables:
    @pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
    def test_fit_and_say_what_they_leave_out(self, encoding):
        for width in (*range(24, 100), 120, 200):
            self.check(shown(DECLARED, width, encoding), width, encoding)

    def check(self, lines, width, encoding):
        text = "\n".join(lines)
        assert all(width_of(line) <= max(width, len("name    a-long-name-of-a-class")) for line in lines)
        for word in ("a-long-name-of-a-class", "sample", "14"):
            assert word in text
        assert ("猫猫猫" if encoding == "utf-8" else r"\u732b\u732b\u732b") in text
        for column, number_ in (("loss", "0.1235"), ("p", "0.9877")):
            gone = next((line for line in lines if line.startswith("left out: ")), "")
            assert (number_ in text) != (f" {column}" in gone.replace(",", " ").partition(";")[0])
        assert "beyond" in text
        framed = [line for line in lines if line[:1] in "│|╭├╰+" and line]
        assert len({width_of(line) for line in framed}) <= 1

    def test_columns_go_in_the_order_of_the_declaration(self):
        gone = [line for width in range(100, 30, -1) for line in shown(DECLARED, width) if line.startswith("left")]
        names = [line.partition(";")[0].removeprefix("left out: ") for line in gone]
        assert list(dict.fromkeys(names)) == ["p", "loss, p"]

    def test_what_goes_together_is_left_out_together(self):
        table = Table("x", [{"name": "n" * 20, "low": 1.5, "high": 2.5}], less=(("low", "high"),))
        assert " ".join(shown(table, 36)[-3:]) == (
            "left out: low, high; a terminal of 37 columns shows them, and so does --format json"
        )
        assert len(shown(table, 37)) == 5

    def test_where_nothing_may_go_rows_are_paragraphs(self):
        table = Table("x", [{"name": "n" * 20, "value": 1.5, "empty": ""}, {"name": "m", "value": 2.5, "empty": "x"}])
        assert shown(table, 30) == [f"name   {'n' * 20}", "value  1.5", "", "name   m", "value  2.5", "empty  x"]

    def test_in_a_pipe_all_is_there(self):
        lines = laid_out(DECLARED, Screen(), str)
        assert lines[0].startswith("+--")
        assert lines[3].count("|") == 6
        assert "0.123456789" in lines[3]

    def test_colour_takes_no_room(self):
        from re import sub

        plain, coloured = (shown(DECLARED, 80, colour=colour) for colour in (False, True))
        assert plain != coloured
        assert [sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == plain


class TestMessages:
    def test_in_a_pipe_are_one_line_without_colour(self):
        assert message("warning: " + "word " * 50, Screen()) == "losscli: warning: " + "word " * 50

    @pytest.mark.parametrize(
        ("text", "error", "begins"),
        [
            ("it is wrong", True, "\x1b[1;31mlosscli:\x1b[0m it is wrong"),
            ("warning: look", False, "\x1b[1mlosscli:\x1b[0m \x1b[1;33mwarning:\x1b[0m look"),
            ("note: so it is", False, "\x1b[1mlosscli:\x1b[0m \x1b[1;36mnote:\x1b[0m so it is"),
        ],
    )
    def test_on_a_terminal_have_colour(self, text, error, begins):
        assert message(text, Screen(80, True), error) == begins
        assert "\x1b" not in message(text, Screen(80), error)

    def test_a_command_is_not_broken(self):
        text = "no loss of these columns is possible here; say losscli compute mse p.csv t.csv --id key"
        assert message(text, Screen(60)).splitlines()[-1] == "losscli compute mse p.csv t.csv --id key"

    def test_names_in_quotes_are_not_broken(self):
        for width in range(30, 70):
            assert "'a name of several words'" in message(
                "column 'a name of several words' is not there", Screen(width)
            )

    def test_a_long_word_at_the_beginning_has_a_line_of_its_own(self):
        assert message("x" * 55 + " is wrong", Screen(60)) == "losscli:\n" + "x" * 55 + " is\nwrong"

    def test_control_characters_do_nothing(self):
        assert "\x1b" not in message("a\x1b[2J name", Screen(80))


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self):
        return True


class TestScreen:
    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({"COLUMNS": "70"}, Screen(70, True)),
            ({}, Screen(80, True)),
            ({"COLUMNS": "0"}, Screen(80, True)),
            ({"NO_COLOR": "1"}, Screen(80, False)),
            ({"NO_COLOR": ""}, Screen(80, True)),
            ({"TERM": "dumb"}, Screen(80, False)),
        ],
    )
    def test_of_a_terminal(self, monkeypatch, environment, expected):
        for name in ("COLUMNS", "NO_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert Screen.of(Terminal()) == expected

    def test_of_a_file_is_as_wide_as_needed(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "20")
        assert Screen.of(io.StringIO()).width is None
        assert Screen.of(None).width is None
