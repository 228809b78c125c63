"""What `list` and `explain` print."""

import pytest

from losscli.render import catalogue


class TestCatalogue:
    def test_the_command_to_compute_a_center_loss_is_complete(self, run):
        assert "losscli compute center PREDICTIONS TARGETS --centers FILE" in run("explain", "center").out

    @pytest.mark.parametrize(("width", "shown"), [(100, False), (200, True)])
    def test_aliases_are_listed_where_the_terminal_has_room_for_them(self, monkeypatch, width, shown):
        monkeypatch.setenv("COLUMNS", str(width))
        found = catalogue.listed(catalogue.entries(), terminal=True)
        assert ("aliases" in found) is shown
        assert ("mean-squared-error" in found) is shown
