"""Pages for a browser: what is in them, that nothing in them is markup from a file, and how a real browser shows them."""

import html.parser
import re
from html import unescape

import numpy as np
import pytest

from losscli.render.page import MOST_ROWS, Page, Picture, as_html
from losscli.render.table import Table

NASTY = "<script>alert(1)</script>\x1b[31m\u202e&\"'"
LINES = {
    "compute": "compute ce p.csv y.csv --from probs --per-sample --require 'mean <= 5'",
    "compute-interval": "compute ce p.csv y.csv --from probs --by fold.csv:fold --interval",
    "compute-numbers": "compute mse r.npy s.npy",
    "check": "check p.csv y.csv --from probs",
    "compare": "compare ce p.csv q.csv --targets y.csv --from probs",
    "rank": "rank ce p.csv y.csv --from probs --by class",
    "calibrate": "calibrate p.csv y.csv --from probs",
    "run": "run losscli.toml",
    "verify": "verify focal.py",
}
"""Command lines that write a page, each with `-o`."""
CODES = {"verify": 1}
TITLES = {
    "compute": "softmax-cross-entropy: p.csv",
    "compute-interval": "softmax-cross-entropy: p.csv",
    "compute-numbers": "squared-error: r.npy",
    "check": "Check of p.csv",
    "compare": "softmax-cross-entropy: q.csv against p.csv",
    "rank": "Worst rows of p.csv",
    "calibrate": "Calibration of p.csv",
    "run": "losscli run: losscli",
    "verify": "Verification of focal.py:focal_loss",
}
RNG = np.random.default_rng(0)


class Outline(html.parser.HTMLParser):
    """Collects tags, attributes and text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attr) for attr in attrs]

    def handle_data(self, data):
        self.text.append(data)


def outline(text):
    found = Outline()
    found.feed(text)
    return found


@pytest.fixture
def files(write, save):
    """Probabilities of two models, their labels, numbers, a suite, and a focal loss with alpha on both classes."""
    labels = RNG.integers(0, 3, 90)
    for name in ("p.csv", "q.csv"):
        p = RNG.dirichlet(np.ones(3), 90) * 0.5 + 0.5 * np.eye(3)[labels]
        write(name, "cat,dog,eel\n" + "".join(",".join(map(repr, row)) + "\n" for row in p.tolist()))
    write("y.csv", "label\n" + "".join(f"{('cat', 'dog', 'eel')[i]}\n" for i in labels))
    write("fold.csv", "fold\n" + "".join(f"{'<b>a</b>' if i % 2 else 'b'}\n" for i in range(90)))
    save("r.npy", RNG.normal(size=50)), save("s.npy", RNG.normal(size=50))
    write(
        "losscli.toml",
        '[measure."<i>rates</i>"]\nloss = "mse"\npredictions = "r.npy"\ntargets = "s.npy"\nrequire = "mean <= 9"\n',
    )
    write(
        "focal.py",
        "import numpy as np\n\ndef focal_loss(p, t, gamma=2.0, alpha=0.25):\n"
        "    pt = np.where(t == 1, p, 1 - p)\n    return -alpha * (1 - pt) ** gamma * np.log(pt)\n",
    )


class TestContent:
    def test_text_from_anywhere_is_text(self):
        table = Table(NASTY, [{NASTY: NASTY, "loss": 1.5}])
        page = as_html(
            Page(
                NASTY, (NASTY, NASTY), [(NASTY, NASTY)], [table], [], [("warning", NASTY)], {NASTY: NASTY}, NASTY, NASTY
            )
        )
        found = outline(page)
        assert found.tags.count("script") == 1  # the page's own
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m\\u202e&amp;&quot;&#x27;") >= 8
        assert not [name for _, name, _ in found.attributes if name.startswith("on")]

    def test_asks_for_nothing(self):
        svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"><g id="a"/></svg>'
        found = outline(as_html(Page("t", ("1", "w"), [], pictures=[Picture(svg, "title", "words")])))
        assert not [
            value for _, name, value in found.attributes if name in ("src", "href") and not value.startswith("#")
        ]
        policy = next(
            value for tag, name, value in found.attributes if tag == "meta" and (value or "").startswith("default-src")
        )
        assert policy.startswith("default-src 'none';")

    def test_pictures_have_ids_of_their_own_and_words_for_those_who_do_not_see_them(self):
        svg = '<?xml?><svg xmlns="x" width="9pt"><metadata>m</metadata><path id="a" style="fill: #0072b2; clip-path: url(#b)"/><use xlink:href="#a"/></svg>'
        page = as_html(Page("t", ("1", "w"), [], pictures=[Picture(svg, "Title", "Words")] * 2))
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        for number in (1, 2):
            assert f'role="img" aria-labelledby="picture-{number} words-{number}"' in page
            assert f"url(#p{number}-b)" in page
            assert f'xlink:href="#p{number}-a"' in page
        assert "#0072b2; clip" not in page  # in the page's own colour, which dark pages have too
        assert "<metadata>" not in page

    def test_numbers_keep_all_of_their_digits_for_sorting(self):
        rows = [{"loss": 1 / 3}, {"loss": float("inf")}, {"loss": float("nan")}, {"loss": None}]
        page = as_html(Page("t", ("1", "w"), [], [Table("rows", rows)]))
        assert re.findall(r'data-value="([^"]+)"', page) == [repr(1 / 3), "Infinity", "NaN"]

    def test_long_tables_are_cut_and_say_so(self):
        page = as_html(Page("t", ("1", "w"), [], [Table("rows", [{"row": i} for i in range(MOST_ROWS + 5)])]))
        assert page.count("<tr>") == MOST_ROWS + 1
        assert "5 more rows in the result as JSON." in page


@pytest.mark.parametrize("name", LINES)
class TestCommands:
    def test_write_a_page_beside_what_they_print(self, run, files, folder, name):
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", LINES[name])]
        plain = run(*words)
        done = run(*words, "-o", "page.html")
        assert (done.code, done.out, done.err) == (plain.code, plain.out, plain.err)
        assert done.code == CODES.get(name, 0)
        page = (folder / "page.html").read_text()
        text = unescape(" ".join(outline(page).text))
        assert LINES[name] + " -o page.html" in text
        assert f"<h1>{TITLES[name]}</h1>" in page
        assert len(page) < 500_000
        assert "<b>a</b>" not in page
        assert "<i>rates</i>" not in page

    def test_leave_no_page_when_they_fail(self, run, files, folder, name):
        words = [
            "nothing.csv" if word.startswith(("p.csv", "r.npy", "losscli.toml", "focal.py")) else word
            for word in LINES[name].split()
        ]
        assert run(
            *(word.strip("'") for word in words if not word.startswith(("<", "5", "'mean", "--require"))),
            "-o",
            "page.html",
        ).code in (2, 3)
        assert not [file for file in folder.iterdir() if "html" in file.name]


class TestWhatPagesSay:
    def test_compute(self, run, files, folder):
        done = run("compute", "ce", "p.csv", "y.csv", "--from", "probs", "-o", "page.html")
        value = float(next(line.split()[1] for line in done.out.splitlines() if line.startswith("mean")))
        text = unescape((folder / "page.html").read_text())
        assert f"<strong>{value:.7g}</strong> <span>mean of 90 samples</span>" in text
        assert re.findall(r'<h2 id="picture-\d">(.*?)</h2>', text) == [
            "Distribution",
            "By class",
            "Confidence",
            "Concentration",
        ]
        assert '"loss": "softmax-cross-entropy"' in text  # the receipt

    def test_a_gate_that_fails_is_red_and_one_that_is_met_green(self, run, files, folder):
        for limit, mood, words in (("9", "good", "every requirement is met"), ("0", "bad", "not met: mean &lt;= 0")):
            run("compute", "mse", "r.npy", "s.npy", "--require", f"mean <= {limit}", "-o", "page.html")
            page = (folder / "page.html").read_text()
            assert f'<p id="lead" class="{mood}">' in page
            assert f"samples; {words}</span>" in page  # which is told by more than its colour
            assert page.count('<td class="failed">NOT MET') == (mood == "bad")

    def test_a_suite_has_a_picture_of_each_measurement_below_a_twentieth_of_two_megabytes(
        self, run, files, write, folder
    ):
        measured = '[measure.{}]\nloss = "mse"\npredictions = "r.npy"\ntargets = "s.npy"\nrequire = "mean <= {}"\n'
        write("two.toml", measured.format("first", 9) + measured.format("second", 0))
        assert run("run", "two.toml", "-o", "page.html").code == 1
        page = (folder / "page.html").read_text()
        assert re.findall(r'<h2 id="picture-\d">(.*?)</h2>', page) == ["Losses of first", "Losses of second"]
        assert len(page) < 2 * 2_000_000 / 20
        assert page.count('<td class="failed">NOT MET</td>') == 1

    def test_a_large_suite_has_pictures_of_what_is_not_met_first(self, run, files, write, folder, monkeypatch):
        monkeypatch.setattr("losscli.cli.pages.MOST_PICTURES", 1)
        measured = '[measure.{}]\nloss = "mse"\npredictions = "r.npy"\ntargets = "s.npy"\nrequire = "mean <= {}"\n'
        write("two.toml", measured.format("first", 9) + measured.format("second", 0))
        run("run", "two.toml", "-o", "page.html")
        assert re.findall(r'<h2 id="picture-\d">(.*?)</h2>', (folder / "page.html").read_text()) == ["Losses of second"]

    def test_every_mistake_that_is_found_stands_beside_the_verdict(self, run, files, folder):
        run("verify", "focal.py", "-o", "page.html")
        page = (folder / "page.html").read_text()
        patterns = re.findall(r'<th scope="row">pattern</th><td>(.*?)</td>', page)
        assert patterns
        assert f"<span>{'; '.join(patterns)}</span>" in page

    def test_findings_of_a_check_are_told_once(self, run, save, folder):
        p = RNG.normal(size=(60, 3))
        run("check", save("z.npy", p), save("t.npy", RNG.integers(0, 3, 60)), "-o", "page.html")
        assert (folder / "page.html").read_text().count("labels-unrelated") == 1

    def test_other_commands_name_the_formats_that_they_have(self, run, files):
        run("compute", "mse", "r.npy", "s.npy", "--also", "mae", "-o", "page.html").refuses(2, "page.html", ".md")
        run("compute", "mse", "r.npy", "s.npy", "--plus", "mae", "-o", "page.html").refuses(2, "page.html", ".md")
        run("calibrate", "p.csv", "y.csv", "--from", "probs", "--apply", "p.csv", "-o", "page.html").refuses(2, ".npy")


class TestInABrowser:
    """Light and dark, on a phone and on a desk: no errors, nothing that sticks out, nothing that the rules of accessibility forbid."""

    @pytest.mark.parametrize("name", LINES)
    def test_shows_each_page(self, run, files, folder, browser, name):
        axe = pytest.importorskip("axe_core_python.sync_playwright", reason="axe is not installed here").Axe()
        run(*(word.strip("'") for word in re.findall(r"'[^']*'|\S+", LINES[name])), "-o", "page.html")
        for scheme, width in (("light", 400), ("dark", 1400), ("dark", 400), ("light", 1400))[
            : 4 if name == "compute" else 2
        ]:
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
            page, said, asked = context.new_page(), [], []
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto((folder / "page.html").as_uri())
            assert said == []
            assert len(asked) == 1  # the page itself
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert [broken["id"] for broken in axe.run(page)["violations"]] == []
            context.close()

    def test_prints_on_white_with_nothing_cut(self, run, files, folder, browser):
        run(*LINES["rank"].split(), "-o", "page.html")
        page = browser.new_page(color_scheme="dark", viewport={"width": 703, "height": 1000})  # A4 without its margins
        page.goto((folder / "page.html").as_uri())
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        cut = "[...document.querySelectorAll('.wide, pre, figure')].filter(box => box.scrollWidth > box.clientWidth + 1).length"
        assert page.evaluate(cut) == 0
        page.close()

    def test_tables_are_sorted_by_a_click_and_by_the_keyboard(self, browser, folder):
        numbers = [2.0, float("nan"), -1.0, float("inf"), 10.0]
        rows = [{"name": f"row {i}", "loss": loss} for i, loss in zip((10, 2, 1, 3, 4), numbers, strict=True)]
        (folder / "page.html").write_text(as_html(Page("t", ("1", "w"), [], [Table("rows", rows)])))
        page = browser.new_page()
        page.goto((folder / "page.html").as_uri())

        def column(number):
            return page.locator(f".rows tbody td:nth-child({number})").all_inner_texts()

        page.get_by_role("button", name="loss").click()
        assert column(2) == ["-1", "2", "10", "inf", "nan"]
        page.get_by_role("button", name="loss").press("Enter")
        assert column(2) == ["inf", "10", "2", "-1", "nan"]  # what is no number is last in both
        page.get_by_role("button", name="name").click()
        assert column(1) == ["row 1", "row 2", "row 3", "row 4", "row 10"]
        assert page.locator("th[aria-sort=ascending]").all_inner_texts() == ["name"]
        page.close()
