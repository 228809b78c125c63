"""Settings of Sphinx, which turns the Markdown pages into a site that needs no network.

pip install -e '.[docs]'
sphinx-build -W --keep-going -E -q -c docs . build/site

The source folder is the repository itself, so that a link between README.md, docs and examples is the same link on a
forge and in the site. docs/index.md is the front page, and its lists are the navigation. What `losscli gallery` writes is in the
site's folder gallery/; docs/gallery.md has a link to it in the site only, since the repository has no such folder. A page that is in no list, a
link or an anchor that leads nowhere, an image that is missing, a gallery that fails, and anything that a page would fetch from the
network end the build with an error.
"""

import importlib.metadata
import posixpath
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from losscli.gallery import site as gallery

project = "losscli"
version = release = importlib.metadata.version("losscli")
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/*.md",
    "docs/tutorial/*.md",
    "examples/*/README.md",
    "sample_data/README.md",
    "benchmarks/README.md",
]
exclude_patterns = [".*", "build", "dist", "losscli", "tests"]
myst_heading_anchors = 4  # anchors as forges make them
highlight_language = "text"  # of blocks that name no language, such as trees of files
html_theme = "furo"
html_title = "losscli"
html_copy_source = False
html_show_sourcelink = False
smartquotes = False  # which make one dash of the two in --help

SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"^- \[([^]]+)\]\(([^)#]+\.md)\)", re.MULTILINE)
FETCHED = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=\"(?:https?:)?//|url\([\"']?(?:https?:)?//"
)
GALLERY = "gallery"
"""The folder of the gallery in the site."""
SCRIPT = """
for (const block of document.querySelectorAll(".highlight-console pre")) {
  block.style.cssText = "white-space: pre-wrap; overflow-wrap: anywhere";
  for (const line of block.querySelectorAll(".go")) if (/^[+|]/.test(line.textContent)) line.style.whiteSpace = "pre";
  for (const word of [...block.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)) {
    const whole = document.createElement("span");  // an option is not broken at its dashes
    whole.style.whiteSpace = "pre";
    word.replaceWith(whole);
    whole.append(word);
  }
}
for (const box of document.querySelectorAll("pre, .table-wrapper")) if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.ariaLevel = 2;
document.querySelector("aside.sidebar-drawer")?.setAttribute("aria-label", "All pages");
document.querySelector("aside.toc-drawer")?.setAttribute("aria-label", "This page");
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
"""
"""What each page does when it is read: long lines of sessions are wrapped, but for tables; what scrolls sideways can be scrolled by
keyboard; the theme's headings and landmarks get what screen readers ask for; and a search in files does without the lines around what it
found, which a browser does not let a page read from other files."""
FRONT = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html">\n'


def add_navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """Append a hidden table of contents to the index for each of its sections, of the pages that its list names."""
    if docname != root_doc:
        return
    folder = posixpath.dirname(root_doc)
    for caption, text in SECTION.findall(source[0]):
        pages = [(title, posixpath.normpath(posixpath.join(folder, path))) for title, path in ITEM.findall(text)]
        lines = "".join(f"{title} </{path}>\n" for title, path in pages)
        if lines:
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}```\n"


def add_gallery(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let the page about the gallery open it, which lies beside the pages."""
    if docname == "docs/gallery":
        up = "../" * docname.count("/")
        heading, _, rest = source[0].partition("\n")
        source[0] = (
            f'{heading}\n\n<p><a class="reference external" href="{up}{GALLERY}/index.html">Open the gallery</a></p>\n{rest}'
        )


def finish(app: Sphinx, error: Exception | None) -> None:
    """Let the site's folder open at the index, put the gallery there, remove pages of earlier builds, and refuse those that would fetch something from the network."""
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    (site / "index.html").write_text(FRONT, encoding="utf-8")
    made = {*app.env.found_docs, "index", "search", "genindex"}
    for page in site.rglob("*.html"):
        if page.relative_to(site).with_suffix("").as_posix() not in made:
            page.unlink()  # of an earlier build, which no list has anymore
    for name, content in gallery.site().items():
        (site / GALLERY / name).parent.mkdir(parents=True, exist_ok=True)
        (site / GALLERY / name).write_bytes(content)
    pages = [path for path in site.rglob("*") if path.suffix in (".html", ".css")]
    fetching = [str(path.relative_to(site)) for path in pages if FETCHED.search(path.read_text(encoding="utf-8"))]
    if fetching:
        raise SphinxError(f"these pages fetch something from the network: {', '.join(sorted(fetching))}")


def setup(app: Sphinx) -> None:
    """Connect these to the build."""
    app.add_js_file(None, body=SCRIPT, priority=900)
    app.connect("source-read", add_navigation)
    app.connect("source-read", add_gallery)
    app.connect("build-finished", finish)
