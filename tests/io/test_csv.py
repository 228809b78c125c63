"""CSV files cut into chunks: whatever the cuts, the cells, rows and lines are those that Python's csv module finds."""

import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from losscli.errors import DataError
from losscli.io import csv as csvfile
from losscli.io.bytes import Spool
from losscli.io.csv import SmallTable, TextTable
from losscli.io.source import whole

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def spooled(text):
    made = Spool("x.csv")
    made.write(text if isinstance(text, bytes) else text.encode())
    return made


def table(text, kind=TextTable, header=None, separator=","):
    return kind("x.csv", spooled(text), separator, header)


cells = st.text(st.sampled_from(list('ab1 .,"\nüé')), max_size=6).filter(lambda cell: cell == cell.strip())
rows = st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=40).filter(
    lambda records: any(cell.strip() for cell in records[-1])  # empty rows at the end are none
)


def written(records, newline="\n", end=True):
    out = io.StringIO()
    csv.writer(out, lineterminator=newline, quoting=csv.QUOTE_MINIMAL).writerows(records)
    text = out.getvalue()
    return text if end else text.removesuffix(newline)


class TestCuts:
    @quick
    @given(rows, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.integers(8, 60))
    def test_any_cuts_give_the_cells_of_the_csv_module(self, records, newline, end, bom, piece):
        records = [["first", "second", "third"], *records]
        text = ("\ufeff" if bom else "") + written(records, newline, end)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csvfile, "PIECE", piece)
            patch.setattr(csvfile, "CHUNK_BYTES", piece)
            found = table(text)
            assert found.height == len(records) - 1
            for number in range(3):
                read = [cell or "" for cell in found.text(number).text()]
                # Polars and the csv module agree on what a cell is, but for how a newline within one is written.
                expected = [row[number] for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""))][1:]
                assert read == expected

    @quick
    @given(rows, st.integers(8, 60))
    def test_places_are_the_lines_of_an_editor(self, records, piece):
        text = written([["first", "second", "third"], *records])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csvfile, "PIECE", piece)
            patch.setattr(csvfile, "CHUNK_BYTES", piece)
            found = table(text)
            line = 2
            for row, record in enumerate(records):
                assert found.place(row) == f"x.csv:{line}"
                line += 1 + sum(cell.count("\n") for cell in record)

    def test_chunks_are_as_long_as_asked_for(self, monkeypatch):
        monkeypatch.setattr(csvfile, "PIECE", 64)
        monkeypatch.setattr(csvfile, "CHUNK_BYTES", 1000)
        found = table("a,b\n" + "1,2\n" * 5000)
        sizes = np.diff(found.index.bytes)
        assert len(sizes) > 15
        assert sizes[:-1].min() >= 1000
        assert sizes.max() <= 1064

    def test_chunks_have_no_more_rows_than_asked_for(self, monkeypatch):
        monkeypatch.setattr(csvfile, "PIECE", 64)
        monkeypatch.setattr(csvfile, "CHUNK_ROWS", 100)
        found = table("a\n" + "1\n" * 5000)
        assert found.height == 5000
        assert np.diff(found.cuts).max() <= 132

    @pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n\n", "\r\n\r\n", "\n" * 9000])
    def test_blank_lines_at_the_end_are_none(self, end):
        found = table("a,b\n1,2\n3,4" + end)
        assert found.height == 2
        assert whole(found.source([0, 1])).tolist() == [[1, 2], [3, 4]]

    def test_a_file_of_a_header_has_no_rows(self):
        for text in ("a,b\n", "a,b", "a,b\n\n"):
            found = table(text)
            assert (found.height, found.names) == (0, ("a", "b"))
            assert whole(found.source([0, 1])).shape == (0, 2)

    @pytest.mark.parametrize("text", ["", "\n", "\r\n\r\n", "\ufeff"])
    def test_a_file_of_nothing_is_refused(self, text):
        with pytest.raises(DataError, match="empty"):
            table(text)

    def test_a_first_line_without_cells_is_refused(self):
        with pytest.raises(DataError, match=r"x\.csv:1: the line is blank"):
            table("\n1,2\n")

    def test_a_long_first_record_is_read_whole(self, monkeypatch):
        monkeypatch.setattr(csvfile, "FIRST", 16)
        names = [f"column {i}" for i in range(40)]
        assert table(",".join(names) + "\n" + ",".join("1" * 40)).names == tuple(names)

    def test_a_quote_that_is_never_closed_is_refused(self):
        with pytest.raises(DataError, match="quote"):
            table('a,b\n1,"2\n' + "3,4\n" * 20)

    def test_a_file_that_is_cut_off_within_quotes_is_refused(self):
        with pytest.raises(DataError, match="cut off"):
            table('"a","b"\n"1","2"\n"3","4.5')

    @pytest.mark.parametrize("cell", ['"2"3', '"2"3""', '2"3"', '"2" ', ' "2"', '"2""', '""2"'])
    @pytest.mark.parametrize("text", [True, False])
    def test_quotes_within_a_cell_are_refused(self, cell, text):
        def read():
            found = table(f'a,b\n1,5\n1,{cell}\n7,"8"\n')
            return found.text(1) if text else whole(found.source([0, 1]))

        with pytest.raises(DataError, match=r"quote|cells"):
            read()

    def test_quotes_that_are_written_twice_are_one(self):
        found = table('a,b\n"x""y","""z"""\n"","2,3\n4"\n')
        assert found.text(0).cells[:1] == ['x"y']
        assert found.text(1).cells == ['"z"', "2,3\n4"]

    @pytest.mark.parametrize("small", [0, 1 << 16])
    @pytest.mark.parametrize("quote", ["", '"'])
    @pytest.mark.parametrize("columns", [[0], [1], [2], [0, 2], [0, 1, 2]])
    def test_a_long_row_is_refused_whatever_columns_are_read(self, monkeypatch, small, quote, columns):
        monkeypatch.setattr(csvfile, "SMALL", small)
        rows = [f"{quote}1{quote},2,3", "4,5,6", "7,8,9,10"]
        with pytest.raises(DataError, match=r"x\.csv:4: 4 cells instead of 3"):
            whole(table("a,b,c\n" + "\n".join(rows) + "\n").source(columns))
        with pytest.raises(DataError, match=r"x\.csv:4: 4 cells instead of 3"):
            table("a,b,c\n" + "\n".join(rows) + "\n").text(columns[0])


NUMBERS = [
    "1",
    "-2.5",
    "1e3",
    " 7",
    "3 ",
    "+4",
    ".5",
    "5.",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1_0",
    "0x1",
    "",
    "x",
    "٣",
    "1,0",
]


class TestSmallFiles:
    """Small files go without Polars; what they hold is the same."""

    @quick
    @given(st.lists(st.lists(st.sampled_from(NUMBERS), min_size=2, max_size=2), min_size=1, max_size=6), st.booleans())
    def test_numbers_and_messages_are_those_of_large_ones(self, records, windows):
        text = written([["a", "b"], *records], "\r\n" if windows else "\n")
        found = []
        for kind in (TextTable, SmallTable):
            made = table(text, kind)
            try:
                found.append(np.ascontiguousarray(whole(made.source([0, 1]))).tobytes())
            except DataError as error:
                found.append(str(error))
        assert found[0] == found[1]

    @quick
    @given(rows)
    def test_text_is_that_of_large_ones(self, records):
        text = written([["a", "b", "c"], *records])
        large, small = table(text), table(text, SmallTable)
        for number in range(3):
            left, right = large.text(number), small.text(number)
            assert [cell or None for cell in left.text()] == [cell or None for cell in right.text()]
            assert left.rows.sum() == right.rows.sum() == len(records)
            firsts = {cell or None: row for cell, row in zip(left.cells, left.first, strict=True)}
            assert firsts == {cell or None: row for cell, row in zip(right.cells, right.first, strict=True)}

    def test_a_join_of_small_files_is_that_of_large_ones(self, compute, write, monkeypatch):
        p = write("p.csv", "id,a,b\nx,1,2\ny,3,5\nz,0,0\n")
        t = write("t.csv", "label,id\na,z\nb,y\na,x\n")
        small = compute("ce", p, t, "--id", "id", "-f", "jsonl").out
        monkeypatch.setattr(csvfile, "SMALL", 0)
        assert compute("ce", p, t, "--id", "id", "-f", "jsonl").out == small
        assert '"id": "x", "target": "a"' in small

    @pytest.mark.parametrize("small", [True, False])
    def test_ids_that_do_not_meet_are_named(self, compute, write, monkeypatch, small):
        monkeypatch.setattr(csvfile, "SMALL", 1 << 16 if small else 0)
        p, t = write("p.csv", "id,a,b\nx,1,2\ny,3,5\n"), write("t.csv", "label,id\na,z\nb,y\n")
        compute("ce", p, t, "--id", "id").refuses(3, "t.csv", "no row for 1 id", "x")
        t = write("t.csv", "label,id\na,x\nb,y\na,w\n")
        compute("ce", p, t, "--id", "id").refuses(3, "t.csv", "1 id", "w")
        t = write("t.csv", "label,id\na,x\nb,x\n")
        compute("ce", p, t, "--id", "id").refuses(3, "t.csv", "more than once", "x")


class TestQuotes:
    def test_a_quote_inside_a_name_loses_no_rows(self, compute, write):
        p = write("h.csv", 'size 5",pred,lab\n1,10,0\n2" x,20,0\n3,30,0\n4,40,0\n')
        compute("l1", f"{p}:pred", f"{p}:lab").refuses(3, "h.csv:1", "quote")

    def test_a_quote_inside_a_cell_is_placed(self, compute, write):
        p = write("h.csv", 'size,pred\na,10\n5" disk,20\nb,30\n')
        compute("l1", f"{p}:pred", "0").refuses(3, "h.csv:3", "quote")
