"""What messages suggest."""

import math

import numpy as np
import pytest

from losscli.wording import did_you_mean, written

pytestmark = pytest.mark.quick


class TestDidYouMean:
    def test_capitals_do_not_hide_the_nearest_name(self):
        assert did_you_mean("LOGIT", ["id", "logit"]) == " (did you mean logit?)"
        assert did_you_mean("logit", ["ID", "LOGIT"]) == " (did you mean LOGIT?)"


class TestWritten:
    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (1.0000001, "1.0000001"),
            (1 + 2**-52, "1.0000000000000002"),
            (0.49999999, "0.49999999"),
            (0.12345678, "0.123457"),
            (1.2999999523162842, "1.3"),  # the float32 of that name
            (-2147483648.0, "-2147483648"),
            (np.int64(2**53 + 1), "9007199254740993"),
            (1e300, "1e+300"),
            (-math.inf, "-inf"),
            (math.nan, "nan"),
        ],
    )
    def test_is_no_other_number(self, number, text):
        """Six digits are enough unless they make a number rounder than it is, and whole numbers have all."""
        assert written(number) == text
