"""Files of formats that losscli does not read: what they are, by their first bytes, and how to convert them.

The content decides before the name does: a page that a server sent instead of a file is called a page, whatever the
file is called.
"""

import codecs
import re
from collections.abc import Collection

from losscli.errors import DataError
from losscli.io.format import Named
from losscli.records import NamedTuple


class Foreign(NamedTuple):
    """A format that losscli does not read: the bytes at position `at` that tell it, and the cure.

    In the cure, `FILE` stands for the name of the file.
    """

    what: str
    magic: tuple[bytes, ...]
    cure: str
    at: int = 0


PICKLE = "loading it could run code, so losscli never does; where it was made, save it with numpy.save(file, numpy.asarray(values))"
EXCEL = "save it with pandas.read_excel('FILE').to_csv('FILE.csv', index=False)"
IN_R = "save it in R with write.csv(readRDS('FILE'), 'FILE.csv', row.names = FALSE)"
AS_ARRAY = "open it with the program that made it, and save it with numpy.save(file, values)"
RAW = "If it holds raw numbers, save them with numpy.save('FILE.npy', numpy.fromfile('FILE', 'float32'))"
IN_UTF_8 = "save it with open('FILE.csv', 'w', encoding='utf-8').write(open('FILE', encoding='{}').read())"

FOREIGN = (
    Foreign("an ORC file", (b"ORC",), "save it with pandas.read_orc('FILE').to_parquet('FILE.parquet')"),
    Foreign(
        "an SQLite database",
        (b"SQLite format 3\0",),
        "save a table of it with pandas.read_sql('SELECT * FROM name', sqlite3.connect('FILE')).to_parquet('FILE.parquet')",
    ),
    Foreign(
        "a DuckDB database",
        (b"DUCK",),
        "save a table of it with duckdb.connect('FILE').sql('SELECT * FROM name').write_parquet('FILE.parquet')",
        8,
    ),
    Foreign(
        "an old Office file, such as Excel's .xls",
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",),
        EXCEL,
    ),
    Foreign(
        "an HDF5 file (Keras, MATLAB 7.3, pandas)",
        (b"\x89HDF\r\n\x1a\n", b"MATLAB 7.3 MAT-file"),
        "save it with numpy.save('FILE.npy', h5py.File('FILE')['name'][()])",
    ),
    Foreign(
        "a MATLAB file",
        (b"MATLAB 5.0 MAT-file",),
        "save it with numpy.save('FILE.npy', scipy.io.loadmat('FILE')['name'])",
    ),
    Foreign(
        "an Avro file",
        (b"Obj\x01",),
        "save it with polars.read_avro('FILE').write_parquet('FILE.parquet')",
    ),
    Foreign("an empty ZIP archive", (b"PK\x05\x06",), "did what should write it fail?"),
    Foreign("a tar archive", (b"ustar",), "unpack it with tar -xf FILE and name one of its files", 257),
    Foreign(
        "an R data file",
        (b"X\n\0\0\0", b"RDX2\nX\n", b"RDX3\nX\n", b"RDA2\nA\n", b"RDA3\nA\n"),
        IN_R,
    ),
    Foreign("an encrypted Parquet file", (b"PARE",), "save it without encryption"),
    Foreign("a NetCDF file", (b"CDF\x01", b"CDF\x02", b"CDF\x05"), AS_ARRAY),
    Foreign("a Stata file", (b"<stata_dta>",), "save it with pandas.read_stata('FILE').to_parquet('FILE.parquet')"),
    Foreign("an SPSS file", (b"$FL2",), "save it with pandas.read_spss('FILE').to_parquet('FILE.parquet')"),
    Foreign("a 7z archive", (b"7z\xbc\xaf\x27\x1c",), "unpack it with 7z x FILE and name one of its files"),
    Foreign("a RAR archive", (b"Rar!\x1a\x07",), "unpack it with unrar x FILE and name one of its files"),
    Foreign("compressed by LZ4", (b"\x04\x22\x4d\x18",), "unpack it with lz4 -d FILE"),
    Foreign("compressed by Snappy", (b"\xff\x06\0\0sNaPpY",), "unpack it with python -m snappy -d FILE"),
    Foreign("compressed by compress", (b"\x1f\x9d",), "unpack it with uncompress FILE"),
    Foreign(
        "a Feather file of version 1",
        (b"FEA1",),
        "save it with pandas.read_feather('FILE').to_parquet('FILE.parquet')",
    ),
    Foreign("a GGUF model, not data", (b"GGUF",), "name the file of predictions instead"),
    Foreign("a PDF document", (b"%PDF-",), "save its table as CSV"),
    Foreign("a picture (PNG)", (b"\x89PNG\r\n\x1a\n",), "save it with numpy.save('FILE.npy', PIL.Image.open('FILE'))"),
    Foreign("a picture (JPEG)", (b"\xff\xd8\xff",), "save it with numpy.save('FILE.npy', PIL.Image.open('FILE'))"),
    Foreign("a picture (GIF)", (b"GIF87a", b"GIF89a"), "save it with numpy.save('FILE.npy', PIL.Image.open('FILE'))"),
    Foreign("a picture (TIFF)", (b"II*\0", b"MM\0*"), "save it with numpy.save('FILE.npy', PIL.Image.open('FILE'))"),
    Foreign("a program (ELF)", (b"\x7fELF",), "name the file of data instead"),
    Foreign("text in UTF-32", (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), IN_UTF_8.format("utf-32")),
    Foreign("text in UTF-16", (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), IN_UTF_8.format("utf-16")),
    Foreign(
        "a pointer of Git LFS, not the data",
        (b"version https://git-lfs.github.com/spec/",),
        "get the data with git lfs pull",
    ),
    Foreign(
        "a pointer of git-annex, not the data",
        (b"/annex/objects/", b".git/annex/objects/", b"../.git/annex/objects/"),
        "get the data with git annex get FILE",
    ),
)
"""Files that are told by their first bytes, or by those at a position."""

CONVERTED = {
    (".pkl", ".pickle", ".joblib"): PICKLE,
    (
        ".json",
    ): "save it with one JSON object per line: pandas.read_json('FILE').to_json('FILE.jsonl', orient='records', lines=True)",
    (".ods",): EXCEL,
    (".xlsx", ".xls"): EXCEL,
    (".h5", ".hdf5", ".mat"): AS_ARRAY,
}
"""Suffixes of files that losscli does not read -> how to save their data instead, for content that tells nothing."""

PAGE = rb"(?is)\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype html|html|head|body)\b"
XML = rb"(?i)\s*<\?xml\b"
R_TEXT = re.compile(rb"A\n[23]\n\d{6}\n\d{6}\n")
PICKLED = re.compile(rb"\x80[\x02-\x05]")
UTF_16 = {"utf-16-le": re.compile(rb"([^\0]\0){4}"), "utf-16-be": re.compile(rb"(\0[^\0]){4}")}
MOST_ZEROS = 0.25
"""The share of zeros among the first bytes beyond which a file is not text."""
CONTROLS = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


def refuse(where: Named) -> None:
    """Raise a DataError that names the format, if the first bytes are those of one that losscli does not read."""
    head = where.head
    markup = head.lstrip().startswith(b"<")
    if markup and re.match(PAGE, head):
        raise DataError(
            f"{where.name}: is an HTML page, not data; the download failed or needs a login: look at it in a browser"
        )
    if markup and re.match(XML, head):
        raise DataError(f"{where.name}: is an XML file, not data; if a server sent it, look at it: it may be an error")
    if R_TEXT.match(head):
        raise DataError(f"{where.name}: is an R data file; {_cure(where, IN_R)}")
    if PICKLED.match(head):
        raise DataError(f"{where.name}: is a pickle (pandas, joblib, Python objects); {PICKLE}")
    binary = CONTROLS.search(head) is not None
    for foreign in FOREIGN:
        magic = next((magic for magic in foreign.magic if head.startswith(magic, foreign.at)), None)
        if magic is not None and (binary or not magic.isalnum()):  # a header may begin with a column called ORC
            raise DataError(f"{where.name}: is {foreign.what}; {_cure(where, foreign.cure)}")
    for encoding, letters in UTF_16.items():
        if letters.match(head):
            raise DataError(f"{where.name}: is text in UTF-16; {_cure(where, IN_UTF_8.format(encoding))}")


def refuse_archive(where: Named, names: Collection[str]) -> None:
    """Raise a DataError if a ZIP archive is a document, by the names of the files in it."""
    office = {"xl/": "an Excel file", "word/": "a Word document", "ppt/": "a presentation"}
    for folder, what in office.items():
        if "[Content_Types].xml" in names and any(name.startswith(folder) for name in names):
            raise DataError(f"{where.name}: is {what}; {_cure(where, EXCEL)}")
    if "mimetype" in names and "content.xml" in names:
        raise DataError(f"{where.name}: is a document of LibreOffice; {_cure(where, EXCEL)}")
    if "model.weights.h5" in names:
        raise DataError(f"{where.name}: is a Keras model, not data; save its predictions with numpy.save")


def refuse_suffix(where: Named) -> None:
    """Raise a DataError if the name of a file says that it is of a format that losscli does not read."""
    name = where.plain_name
    for suffixes, cure in CONVERTED.items():
        suffix = next((suffix for suffix in suffixes if name.endswith(suffix)), None)
        if suffix is not None:
            raise DataError(f"{where.name}: losscli does not read {suffix} files; {_cure(where, cure)}")


def refuse_binary(where: Named) -> None:
    """Raise a DataError for a file that is neither known by its first bytes nor text."""
    head = where.head
    binary = head.count(b"\0") > len(head) * MOST_ZEROS  # raw numbers such as small labels may be text as well
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        binary = binary or CONTROLS.search(head) is not None
    if binary:
        raise DataError(
            f"{where.name}: is neither text nor a format that losscli knows; it begins with {head[:6]!r}: is it the right "
            f"file? {_cure(where, RAW)}"
        )


def _cure(where: Named, cure: str) -> str:
    return cure.replace("FILE", where.name)
