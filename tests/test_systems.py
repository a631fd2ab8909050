"""The table of systems: what the README shows is what was measured, and nothing is left out."""

import importlib.util

import pytest
from lessons import ROOT

from colorize import images
from colorize.colorizer import shipped
from colorize.files import read_results

spec = importlib.util.spec_from_file_location("systems", ROOT / "docs" / "systems.py")
systems = importlib.util.module_from_spec(spec)
spec.loader.exec_module(systems)

FOUND = {
    "rows": {
        "truth": {"numbers": {"raw_auc": 100.0, "rebalanced_auc": 100.0, "psnr": 141.0, "chroma": 17.26}},
        "one, T = 1": {"numbers": {"chroma": 1.0}},
        "one, T = 0.38": {"numbers": {"chroma": 2.0}},
        "two": {"numbers": {"chroma": 3.0}},
    },
    "networks": {"one": {"temperature": 0.38}, "two": {"temperature": 0.38}},
}


def test_a_network_is_shown_at_its_own_temperature():
    found = [systems.row_of(name, **FOUND)["numbers"]["chroma"] for name in ("one", "two")]
    assert found == [2.0, 3.0]
    FOUND["networks"]["one"]["temperature"] = 1.0
    assert systems.row_of("one", **FOUND)["numbers"]["chroma"] == 1.0


def test_the_readme_shows_what_was_measured():
    readme = systems.README.read_text(encoding="utf-8")
    assert systems.with_table(readme, read_results("systems")) == readme


def test_every_network_that_colors_is_in_the_table():
    """But for those that are one of the others at another stage, or see one kind of photo alone."""
    assert set(shipped()) - set(systems.SYSTEMS) == {"first", "l2_tuned", "narrow"}


def test_the_table_says_what_the_results_say():
    """Spot checks against the stored numbers, read another way than the table does."""
    found = read_results("systems")
    lines = {line.split("|")[1].strip(): line for line in systems.table(found).splitlines()}
    assert len(lines) == 2 + 2 + len(systems.SYSTEMS) + 1
    for name, key in (("l2", "l2"), ("best", "best, T = 1"), ("rebalanced", "rebalanced, T = 0.38")):
        cells = [cell.strip() for cell in lines[f"[`{name}`](data/weights/{name}.md)"].split("|")]
        values = found["rows"][key]["numbers"]
        assert cells[6].startswith(f"{values['raw_auc']:.1f} (")
        assert float(cells[-2]) == pytest.approx(values["chroma"], abs=0.051)
        assert float(cells[-3]) == pytest.approx(values["psnr"], abs=0.051)


def test_the_picture_has_a_row_for_each_system():
    picture = images.read(systems.PICTURE)
    rows, side = len(systems.SYSTEMS) + 2, systems.EDGE + systems.GAP
    assert picture.shape == (3, rows * side, systems.MARGIN + 5 * side)
