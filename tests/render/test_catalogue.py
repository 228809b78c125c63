"""What `list` and `explain` print."""

import pytest

from losscli.losses import LOSSES
from losscli.render import catalogue
from losscli.render.screen import Screen, width_of


class TestCatalogue:
    def test_the_command_to_compute_a_center_loss_is_complete(self, run):
        assert "losscli compute center PREDICTIONS TARGETS --centers FILE" in run("explain", "center").out

    def test_a_terminal_gets_names_and_summaries_by_family(self):
        lines = catalogue.listed(catalogue.entries(), Screen(120)).splitlines()
        families = [line.split(":")[0] for line in lines if ":" in line and not line.startswith(" ")]
        assert set(families) == {loss.family.name for loss in LOSSES.values()}
        assert lines[1].split() == ["squared-error", "The", "square", "of", "the", "residual."]
        assert "where(" not in "\n".join(lines)

    @pytest.mark.parametrize("width", [60, 80, 120])
    def test_no_name_is_cut_and_no_curve_is_broken(self, width):
        for loss in list(LOSSES.values())[::9]:
            page = catalogue.described(loss.bind(), Screen(width)).splitlines()
            assert [line for line in page if width_of(line) > width] == []
            assert page[0].startswith(loss.name)
