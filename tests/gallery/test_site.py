"""The gallery: what is in its pages without a browser, and what they do in one."""

import hashlib
import html.parser
import importlib.util
import json
import os
import posixpath
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from commands import ROOT

from losscli import api
from losscli.analysis.curves import along, shared_axis
from losscli.gallery.pages import LINKED, _publications
from losscli.gallery.site import MARKER, site
from losscli.lookup.tasks import TASKS
from losscli.losses import FAMILIES, LOSSES

LOOKED_AT = ("huber", "softmax-focal", "arcface", "sparsemax", "softmax-cross-entropy")
"""Pages of different kinds: sliders, several axes, wide formulas, a curve that stands still, much about libraries."""


class Outline(html.parser.HTMLParser):
    """Collects ids, links and what else a page loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads, self.tags, self.attributes = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        self.tags.append(tag)
        self.attributes += names
        self.ids += [names["id"]] if "id" in names else []
        self.links += [names["href"]] if tag == "a" else []
        self.loads += (
            [names.get("src") or names["href"]] if tag in ("script", "link") and {"src", "href"} & set(names) else []
        )


@pytest.fixture(scope="module")
def files():
    return site()


@pytest.fixture(scope="module")
def pages(files):
    return {name: Outline(content.decode()) for name, content in files.items() if name.endswith(".html")}


class TestContent:
    def test_every_loss_has_a_page_and_a_small_curve(self, files, pages):
        assert set(pages) == {"index.html", *(f"losses/{name}.html" for name in LOSSES)}
        start = files["index.html"].decode()
        assert [link for link in pages["index.html"].links if link.startswith("losses/")] == [
            f"losses/{name}.html" for name in LOSSES
        ]
        assert start.count('class="spark"') == len(LOSSES)
        families = start.partition('<select id="family"')[2]
        assert {
            name: int(number) for name, number in re.findall(r'<option value="([a-z-]+)">\1 \((\d+)\)', families)
        } == {family: sum(loss.family.name == family for loss in LOSSES.values()) for family in FAMILIES}

    def test_all_links_lead_somewhere(self, files, pages):
        for name, page in pages.items():
            assert len(page.ids) == len(set(page.ids)), name
            for link in page.links + page.loads:
                if link.startswith(("https://doi.org/10.", "https://arxiv.org/abs/", "data:,")):
                    continue
                path, _, anchor = link.partition("#")
                there = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
                assert there in files, (name, link)
                assert not anchor or "=" in anchor or anchor in pages[there].ids, (name, link)

    def test_pages_load_their_own_files_and_have_nothing_that_the_policy_forbids(self, files, pages):
        for name, page in pages.items():
            assert not {"style", "iframe", "img", "object"} & set(page.tags), name
            assert not [
                attribute for attribute in page.attributes if attribute == "style" or attribute.startswith("on")
            ], name
            policy = re.search(r'Content-Security-Policy" content="([^"]*)"', files[name].decode())[1]
            assert policy.startswith("default-src 'none'; script-src 'self' file:; style-src 'self' file:;")
            assert re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", files[name].decode()) in (
                [],
                [' type="application/json" id="loss"'],
            )

    def test_a_page_says_what_explain_says(self, files):
        page = unescape(files["losses/huber.html"].decode())
        for text in ("Quadratic up to delta, linear beyond.", "torch.nn.functional.huber_loss(p, t, delta=delta)", "reduces by mean: sum(w * l) / sum(w)",
                     "Huber 1964", '<a href="smooth-l1.html">smooth_l1</a>(r, beta=delta)', "residual beyond which the loss is linear",
                     "losscli plot curves huber:delta=1 -o huber.png", "losscli compute huber PREDICTIONS TARGETS --delta 1"):  # fmt: skip
            assert text in page
        for name, loss in LOSSES.items():
            page = unescape(files[f"losses/{name}.html"].decode())
            assert loss.summary in page
            assert loss.source.split(",")[0] in re.sub("<[^>]*>", "", page)
            assert (f"f = {loss.formula}" if loss.formula else loss.definition.replace("`", "")) in re.sub(
                "</?code>", "", page
            )

    def test_words_on_the_gradient_name_the_axis_where_there_are_several(self, files):
        assert "bounded gradient over the logit</a>" in files["losses/softmax-focal.html"].decode()
        assert "bounded gradient over the logit</a>" in files["losses/hellinger.html"].decode()
        assert "bounded gradient</a>" in files["losses/huber.html"].decode()
        for name in LOSSES:
            page = unescape(files[f"losses/{name}.html"].decode())
            assert "the other's is 0" not in page, name
            assert "not told by one curve" not in page, name

    def test_defects_are_those_of_the_audit(self, files):
        spec = importlib.util.spec_from_file_location("make_audit", ROOT / "docs" / "make_audit.py")
        make_audit = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(make_audit)
        told = make_audit.records(make_audit.PAGE.read_text(encoding="utf-8"))
        assert make_audit.RECORDS.read_text(encoding="utf-8") == told
        findings = json.loads(told)["torch"]["findings"]["ctc"]
        assert [(one["kind"], one["call"], one["what"], one["gives"], one["truth"]) for one in findings] == [
            ("broken", "ctc_loss", "gradient: WRONG", "[0, -1, 1]", "[0, -1, 0]")
        ]
        assert "[0, -1, 1]" in files["losses/ctc.html"].decode()

    def test_command_lines_are_read(self, files, run):
        """Those that draw name a loss and an axis that exist; those that compute have options that the loss takes."""
        for name in LOSSES:
            page = unescape(files[f"losses/{name}.html"].decode())
            drawn = re.search(r'<code id="draw">losscli plot curves (\S+) -o', page)[1]
            shared_axis(api.losses_to_draw([drawn], None, None, ""))
        for loss in {loss.family.name: loss for loss in LOSSES.values()}.values():
            page = unescape(files[f"losses/{loss.name}.html"].decode())
            line = re.search(r'<code id="compute">losscli (.*?)</code>', page)[1]
            done = run(
                *line.replace("PREDICTIONS", "none.npy")
                .replace("TARGETS", "nor.npy")
                .replace("FILE", "other.npy")
                .split()
            )
            assert done.code == 3, done.err
            assert ".npy: no such file" in done.err

    def test_the_same_version_makes_the_same_bytes(self, files, folder):
        code = "import hashlib; from losscli.gallery.site import site; print(hashlib.sha256(repr(site()).encode()).hexdigest())"
        environment = os.environ | {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.strip() == hashlib.sha256(repr(files).encode()).hexdigest()

    def test_pages_are_light(self, files):
        assert max(len(content) for name, content in files.items() if name.startswith("losses/")) < 60_000
        assert len(files["index.html"]) < 200_000
        assert len(files["curve.js"]) < 50_000


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("Huber 1964, doi:10.1214/aoms/1177703732", "https://doi.org/10.1214/aoms/1177703732"),
        ("Rey (1983), doi:10.1016/0893-6080(94)90003-5; more", "https://doi.org/10.1016/0893-6080(94)90003-5"),
        ("(doi:10.1007/3-540-45.)", "https://doi.org/10.1007/3-540-45"),
        ("Lin 2017, arXiv:1708.02002, for", "https://arxiv.org/abs/1708.02002"),
    ],
)
def test_publications_are_links(text, link):
    assert re.findall('href="([^"]*)"', _publications(text)) == [link]
    assert re.sub("<[^>]*>", "", _publications(text)) == text


def test_sources_name_publications_in_no_other_form():
    for loss in LOSSES.values():
        assert len(LINKED.findall(loss.source)) == len(re.findall(r"doi|arxiv", loss.source, re.IGNORECASE)), loss.name


class TestCommand:
    def test_writes_the_gallery(self, run, folder, files, monkeypatch):
        monkeypatch.setattr("losscli.gallery.site.site", lambda: files)  # as made already
        done = run("gallery", "-o", "out")
        assert done.code == 0
        assert (
            done.out
            == f"out: {len(LOSSES) + 1} pages, {sum(map(len, files.values())) / 1e6:.1f} MB\nopen {folder}/out/index.html in a browser\n"
        )
        written = {
            file.relative_to("out").as_posix(): file.read_bytes() for file in Path("out").rglob("*") if file.is_file()
        }
        assert written == files
        assert written[MARKER].decode().splitlines()[1:] == sorted(set(files) - {MARKER})

    def test_refuses_before_it_works(self, run, folder, monkeypatch):
        monkeypatch.setattr("losscli.gallery.site.site", lambda: pytest.fail("the gallery is made for nothing"))
        Path("out").mkdir()
        Path("out", "mine.txt").write_text("")
        run("gallery", "-o", "out").refuses(3, "mine.txt", "name a new or an empty folder")
        run("gallery", "-o", "out/mine.txt/deep/er").refuses(3, "out/mine.txt is a file; name another place")
        run("gallery", "-o", ".").refuses(2, "the folder in which you are")
        run("gallery").refuses(2, "--output")


@pytest.fixture(scope="module")
def place(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def opened(browser, place):
    """Opens a page of the gallery; at the end, nothing must have been said in the console, nor asked for elsewhere."""
    contexts, said, asked = [], [], []

    def open_page(name, width=1400, scheme="light", scripts=True):
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((place / name.partition("#")[0]).as_uri() + name[len(name.partition("#")[0]) :])
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert all(url.startswith(place.as_uri()) for url in asked)


class TestInABrowser:
    @pytest.mark.parametrize("name", ["index.html", *(f"losses/{name}.html" for name in LOOKED_AT)])
    def test_shows_each_page(self, opened, name):
        """Light and dark, on a phone and on a desk: nothing that sticks out, nothing that the rules of accessibility forbid."""
        axe = pytest.importorskip("axe_core_python.sync_playwright", reason="axe is not installed here").Axe()
        ways = (("light", 400), ("dark", 1400)) if name in ("index.html", "losses/huber.html") else (("dark", 400),)
        for scheme, width in ways:
            page = opened(name, width, scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert [broken["id"] for broken in axe.run(page)["violations"]] == []

    @pytest.mark.parametrize("width", [400, 1400])
    def test_nothing_is_out_of_sight(self, opened, width):
        """Findings, command lines and calls are whole; the field of every parameter is beside its slider."""
        page = opened("losses/triplet.html", width)
        cells = page.locator(".findings td").evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
        assert max(cells) <= width
        assert page.locator("pre").evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
        for name, parameters in (("triplet", 4), ("dpo", 2)):
            page = page if name == "triplet" else opened(f"losses/{name}.html", width)
            sliders = page.locator("fieldset:has(#reset) [type=range]").evaluate_all("all => all.map(one => one.getBoundingClientRect())")  # fmt: skip
            fields = page.locator("fieldset:has(#reset) [type=text]").evaluate_all("all => all.map(one => one.getBoundingClientRect())")  # fmt: skip
            assert len(sliders) == len(fields) == parameters
            assert len({(slider["left"], slider["right"]) for slider in sliders}) == 1
            for slider, field in zip(sliders, fields, strict=True):
                assert slider["right"] < field["left"]
                assert field["top"] <= (slider["top"] + slider["bottom"]) / 2 <= field["bottom"]

    def test_search_and_filters_narrow(self, opened):
        page = opened("index.html")

        def shown():
            return page.locator(".cards > li:visible b").all_text_contents()

        assert page.locator("#count").inner_text() == f"{len(LOSSES)} losses"
        page.get_by_label("Search").fill("bce with logits")  # another name, written otherwise
        assert "sigmoid-cross-entropy" in shown()
        page.get_by_label("Search").fill("SparseCategorical")  # a library's name
        assert "softmax-cross-entropy" in shown()
        page.get_by_label("Search").fill("GemanMcClure")
        assert shown() == ["geman-mcclure"]
        page.get_by_label("Search").fill("quadratic hinge xyz")
        assert shown() == []
        page.get_by_role("button", name="Show all losses").click()
        assert len(shown()) == len(LOSSES)
        page.get_by_label("Family").select_option("margin")
        page.get_by_label("Redescending").check()
        assert shown() == ["ramp", "zero-one", "savage", "tangent"]
        assert page.locator("#count").inner_text() == f"4 of {len(LOSSES)} losses"
        page.get_by_label("Convex").check()
        assert shown() == []
        again = opened("index.html#family=margin&shape=convex,robust")
        assert again.locator(".cards > li:visible b").all_text_contents()[:2] == ["hinge", "logistic"]
        assert again.get_by_label("Family").input_value() == "margin"

    def test_tasks_are_found(self, opened):
        """By the words of the help, and by what else one calls them."""
        page = opened("index.html")

        def shown():
            return set(page.locator(".cards > li:visible b").all_text_contents())

        for word, some in (("segmentation", "dice"), ("detection", "giou"), ("regression", "huber"), ("ranking", "listnet"),
                           ("classification", "softmax-cross-entropy"), ("binary classification", "hinge")):  # fmt: skip
            page.get_by_label("Search").fill(word)
            assert some in shown(), word
        page.get_by_label("Search").fill("")
        page.get_by_label("Family").select_option("margin")
        page.get_by_label("Task").select_option("masks (segmentation)")  # in which that family is not
        assert page.get_by_label("Family").input_value() == ""
        assert shown() == {name for name, loss in LOSSES.items() if loss.family.name in TASKS["masks (segmentation)"]}
        again = opened("index.html#task=boxes+(detection)&family=box")
        assert again.locator(".cards > li:visible b").all_text_contents()[0] == "iou"
        assert again.get_by_label("Task").input_value() == "boxes (detection)"

    def test_names_come_before_words(self, opened):
        page = opened("index.html")
        for words, first in (
            ("log loss", ["sigmoid-cross-entropy", "softmax-cross-entropy"]),  # as the command line answers
            ("logloss", ["sigmoid-cross-entropy", "softmax-cross-entropy"]),
            ("binary_logloss", ["sigmoid-cross-entropy"]),
            ("huber", ["huber"]),
            ("mse", ["squared-error"]),
        ):
            page.get_by_label("Search").fill(words)
            assert page.locator(".cards > li:visible b").all_text_contents()[: len(first)] == first, words
        page.get_by_label("Search").fill("")
        assert page.locator(".cards > li:visible b").all_text_contents() == list(LOSSES)

    def test_a_slider_moves_the_curve_and_the_numbers_are_losscli_s(self, opened):
        page = opened("losses/huber.html")
        line, read = page.locator("#moving .line").first, page.locator("#read")
        before = line.get_attribute("d")
        slider = page.get_by_label("delta", exact=True)
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(100)
        assert line.get_attribute("d") != before
        delta = float(page.get_by_label("delta, as a number").input_value())
        assert slider.get_attribute("aria-valuetext") == page.get_by_label("delta, as a number").input_value()
        assert 0.9 < delta < 1
        page.get_by_label("Read at").focus()
        page.keyboard.press("End")
        value, slope = along(LOSSES["huber"].bind(delta=delta), FAMILIES["residual"].axes["residual"], np.array([3.0]))
        told = re.fullmatch(r"At r = 3: loss (\S+), gradient (\S+)", read.inner_text())
        assert [float(told[1]), float(told[2])] == pytest.approx([value[0], slope[0]], rel=1e-6)
        assert page.locator("#draw").inner_text() == f"losscli plot curves huber:delta={delta:g} -o huber.png"
        assert page.locator("#compute").inner_text().endswith(f"--delta {delta:g}")
        page.get_by_role("button", name="Reset").click()
        assert line.get_attribute("d") == before

    def test_a_field_takes_numbers_of_the_domain_only(self, opened):
        page = opened("losses/barron.html")
        field, other = page.get_by_label("alpha, as a number"), page.get_by_label("c, as a number")
        before = page.locator("#moving .line").first.get_attribute("d")
        other.fill("0")  # which the domain leaves out
        other.press("Enter")
        assert page.locator("#parameter-c-wrong").inner_text() == "c is in (0, inf)"
        assert other.get_attribute("aria-invalid") == "true"
        assert page.locator("#moving .line").first.get_attribute("d") == before
        field.fill("-inf")  # Welsch's loss, 1 - exp(-r^2 / 2)
        field.press("Enter")
        assert page.locator("#read").inner_text() == "At r = 1.5: loss 0.6753475, gradient 0.4869787"
        page = opened("losses/sigmoid-focal.html")
        assert page.get_by_label("alpha, as a number").input_value() == "none"

    @pytest.mark.parametrize(
        ("name", "parameter"), [("wing", "width"), ("lq", "exponent"), ("proxy-nca-plus-plus", "scale")]
    )
    def test_numbers_that_overflow_leave_a_picture(self, opened, name, parameter):
        page = opened(f"losses/{name}.html")
        page.get_by_label(f"{parameter}, as a number").fill("1e308")
        page.get_by_label(f"{parameter}, as a number").press("Enter")
        assert "NaN" not in page.locator("#moving").inner_html()
        assert "Infinity" not in page.locator("#moving .panels").inner_html()

    def test_other_losses_are_laid_over_and_removed(self, opened):
        page = opened("losses/hinge.html")
        assert "squared-error" not in page.locator("#neighbours").inner_text()  # over another variable
        for name in ("exponential", "zero-one"):
            page.get_by_label("Another loss").select_option(name)
            page.get_by_role("button", name="Lay over").click()
        assert page.locator("#moving .panels svg.panel").first.locator(".line").count() == 3
        assert [text.split("loss")[0].strip() for text in page.locator(".legend li").all_inner_texts()] == [
            "hinge",
            "exponential",
            "zero-one",
        ]
        assert page.locator("#draw").inner_text() == "losscli plot curves hinge exponential zero-one -o hinge.png"
        dashes = page.evaluate("['c0', 'c1', 'c2', 'c3', 'c4', 'c5'].map(c => { const p = document.querySelector('#moving .line').cloneNode(); p.setAttribute('class', `line ${c}`); document.querySelector('#moving svg svg').append(p); return getComputedStyle(p).strokeDasharray + getComputedStyle(p).stroke })")  # fmt: skip
        assert len(set(dashes)) == 6
        page.get_by_role("button", name="Lay over").click()
        assert "there already" in page.locator("#moving").inner_text()
        page.get_by_role("button", name="Remove exponential").click()
        assert page.locator(".legend li").count() == 2

    def test_axes_are_chosen(self, opened):
        page = opened("losses/softmax-cross-entropy.html")
        page.get_by_label("Over the").select_option("logit")
        assert "logit z of the true class" in page.locator("#moving figcaption").inner_text()
        assert (
            page.locator("#draw").inner_text()
            == "losscli plot curves softmax-cross-entropy --x logit -o softmax-cross-entropy.png"
        )
        page.get_by_label("to", exact=True).fill("0")
        page.get_by_label("to", exact=True).press("Enter")
        page.get_by_label("Read at").press("End")
        assert page.locator("#read").inner_text() == "At z = 0: loss 0.6931472, gradient -0.5"

    def test_a_jump_interrupts_the_line(self, opened):
        page = opened("losses/zero-one.html")
        value = page.locator("#moving svg.panel").first
        assert value.locator(".line").get_attribute("d").count("M") == 2
        assert value.locator(".dot").count() == 1
        kinked = opened("losses/absolute-error.html").locator("#moving svg.panel")
        assert kinked.nth(0).locator(".line").get_attribute("d").count("M") == 1
        assert kinked.nth(1).locator(".line").get_attribute("d").count("M") == 2

    def test_words_are_those_that_were_written(self, opened):
        """What is said of the curve that is drawn in the browser, and of the one that was drawn when the gallery was made."""
        for name in ("zero-one", "tukey-biweight", "softmax-focal", "wing"):
            page = opened(f"losses/{name}.html")
            for panel in page.locator("#moving svg.panel").all():
                assert page.locator("#moving .words").inner_text() in panel.get_attribute("aria-label")
            assert (
                page.locator("#moving .words").text_content()
                == page.locator("#still figure[hidden] .words").first.text_content()
            )

    def test_without_scripts_the_curve_stands_still(self, opened):
        page = opened("losses/huber.html", scripts=False)
        assert page.locator("figure svg.panel:visible").count() == 2
        assert page.locator(".controls").count() == 0
        assert page.get_by_text("Quadratic up to delta").is_visible()
        start = opened("index.html", scripts=False)
        assert start.locator(".cards > li:visible").count() == len(LOSSES)
        assert not start.locator("#filters").is_visible()
