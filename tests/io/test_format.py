"""Files of formats that losscli does not read."""

import pytest


@pytest.mark.parametrize("name", ["model.pt", "preds.pkl", "preds.json", "preds.xlsx"])
def test_files_of_other_formats_are_refused_with_a_way_to_save_them(write, run, name):
    write(name, "1\n2\n")
    run("compute", "mse", name, "0").refuses(3, name, "does not read", "save it ")
