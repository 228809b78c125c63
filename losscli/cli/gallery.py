"""`losscli gallery -o FOLDER`: the losses as pages for a browser."""

from typing import Annotated

import typer

from losscli.cli.command import command
from losscli.cli.options.output import output_option
from losscli.wording import count

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command(app)
def gallery(
    output: Annotated[
        str,
        output_option(
            "The folder of the pages, which is made. A folder that an earlier run has written is replaced; one with other files is refused.",
            show_default=False,
            metavar="FOLDER",
        ),
    ],
) -> None:
    """Write the losses as pages for a browser, with curves that move.

    A page for every loss: formula, curve and gradient with a slider for each parameter, other losses to lay over, relations, the calls of
    libraries with their differences and known defects, and sources. The start page shows all losses, with a search and filters.

    The pages ask for nothing from anywhere: open index.html from the disk, or put the folder below any path of a web server.
    """
    from losscli.gallery.site import MARKER, site
    from losscli.io.whole_folder import WholeFolder

    folder = WholeFolder(output, MARKER, "gallery")
    files = site()
    folder.write(files)
    pages = sum(name.endswith(".html") for name in files)
    size = sum(map(len, files.values())) / 1e6
    print(f"{output}: {count(pages, 'page')}, {size:.1f} MB")
    print(f"open {folder.target / 'index.html'} in a browser")
