"""Sums of rows."""

import numpy as np
from by_hand import near

from losscli.arrays import row_sums


class TestRowSums:
    def test_a_long_row_of_float32_terms_is_summed_to_their_last_digits(self):
        terms = np.full((2, 128_000), 0.1, np.float32)
        assert row_sums(terms).tolist() == near([128_000 * float(terms[0, 0])] * 2, rel=1e-6)
