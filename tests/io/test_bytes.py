"""Compressed text."""

import pytest


class TestZstandard:
    @pytest.mark.parametrize(
        "text",
        ['id,x\r\n"k\r\nl",1\r\nb,3\r\n', "id,x\na\x1fb,1\nc,3\n", 'id,x\n"a ""q""",1\nb,3', "id,x\na,1\nb,3\n\n"],
    )
    def test_is_the_text_that_was_compressed(self, compute, write, folder, text):
        import zstandard

        (folder / "x.csv.zst").write_bytes(zstandard.ZstdCompressor().compress(text.encode()))
        plain = compute("l1", write("x.csv", text), "0", "--id", "id", "-f", "jsonl").out
        assert compute("l1", "x.csv.zst", "0", "--id", "id", "-f", "jsonl").out == plain

    def test_a_damaged_one_is_refused(self, compute, write, folder):
        import zstandard

        data = zstandard.ZstdCompressor().compress(b"x\n" + b"1\n" * 999)
        compute("l1", write("x.csv.zst", data[:9] + b"zzzz" + data[13:]), "0").refuses(3, "x.csv.zst", "compressed")
