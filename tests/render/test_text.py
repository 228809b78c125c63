"""Tables in straight columns."""


def table(array, names):
    lines = [",".join(names), *(",".join(repr(float(x)) for x in row) for row in array)]
    return "\n".join(lines) + "\n"


def test_names_in_east_asian_scripts_stand_in_straight_columns(compute, write):
    p, t = write("p.csv", "猫,dog\n1,2\n3,4\n"), write("t.csv", "label\n猫\ndog\n")
    lines = compute("ce", p, t, "--per-sample", "-f", "table").out.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    widths = {len(row) + row.count("猫") for row in rows}
    assert len(widths) == 1
