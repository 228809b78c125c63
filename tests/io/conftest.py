"""What tests of files that live elsewhere share: a server of S3."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A server of S3 with one bucket."""
    pytest.importorskip("moto", reason="the server of S3 is moto's")
    pytest.importorskip("flask_cors", reason="moto's server needs flask")
    from servers import S3

    server = S3()
    yield server
    server.stop()
