"""What messages suggest."""

import pytest

from losscli.wording import did_you_mean

pytestmark = pytest.mark.quick


class TestDidYouMean:
    def test_capitals_do_not_hide_the_nearest_name(self):
        assert did_you_mean("LOGIT", ["id", "logit"]) == " (did you mean logit?)"
        assert did_you_mean("logit", ["ID", "LOGIT"]) == " (did you mean LOGIT?)"
