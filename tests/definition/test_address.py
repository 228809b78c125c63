"""Addresses: what is one, and what is secret in them is shown nowhere."""

import pytest

from losscli.definition.address import complete, is_remote, shown


@pytest.mark.parametrize(
    "text", ["s3://b/x.npy", "S3://b/x", "gs://b/x", "az://b/x", "http://h/x", "https://h:8080/x", "hf://u/r/x"]
)
def test_addresses(text):
    assert is_remote(text)


@pytest.mark.parametrize("text", ["x.npy", "s3:/b/x.npy", "file.csv:https://h/x", "ftp://h/x", "-", "", "gcs://b/x"])
def test_no_addresses(text):
    assert not is_remote(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h/a.npy", "https://h/a.npy"),
        ("https://h/a.npy?sig=s", "https://h/a.npy?..."),
        ("https://h/a.parquet?sig=s:score", "https://h/a.parquet?...:score"),
        ("--mask=https://h/b.npy?x=1&sig=s", "--mask=https://h/b.npy?..."),
        ("https://u:p@h/a.npy", "https://...@h/a.npy"),
        ("https://h/c?sig=s/with/slashes", "https://h/c?..."),
        ("s3://bucket/what?.npy", "s3://bucket/what?.npy"),  # a part of a key, or of a pattern
        ("is it? yes", "is it? yes"),
        ("https://h/a.npy?...", "https://h/a.npy?..."),
    ],
)
def test_what_is_shown(text, expected):
    assert shown(text) == expected
    assert shown(expected) == expected


def test_a_query_is_found_again_by_what_is_shown():
    first, second = shown("https://h/of-two.npy?v=1"), shown("https://h/of-two.npy?v=2")
    assert first != second
    assert [complete(first), complete(second)] == ["https://h/of-two.npy?v=1", "https://h/of-two.npy?v=2"]
    assert shown("https://h/of-two.npy?v=1") == first
    assert complete("https://h/of-two.npy") == "https://h/of-two.npy"


def test_a_query_of_another_process_is_unknown():
    with pytest.raises(KeyError):
        complete("https://h/elsewhere.npy?...")
