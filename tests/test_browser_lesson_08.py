"""The real-or-fake study of lesson 8, played in a browser for a few pairs; what was answered stays in the test's folder."""

import re

import pytest
from browser import wait_until
from selenium.webdriver.common.keys import Keys

from colorize import study

NOTEBOOKS = {"lesson.ipynb": "notebooks/08_how_good_is_it.ipynb"}
PLACE = ".colorize-study-pair"


def says(page):
    return page.texts(f"{PLACE} .colorize-study-status")[0]


def answer(page):
    """Say "the first" once both pictures have come and gone: whoever has seen both does not come too early."""
    over = f"""
        const figures = [...document.querySelectorAll('{PLACE} figure')];
        return figures.length === 2 && figures.every(figure => figure.getAnimations().length === 0);
    """
    wait_until(lambda: page.js(over), "both pictures to come and go", 30)
    alts = page.js(f"return [...document.querySelectorAll('{PLACE} img')].map(image => image.alt)")
    assert alts == ["picture A", "picture B"]
    page.press(f"{PLACE} .colorize-study-first", Keys.ENTER)


def wait_for(page, words):
    """Wait for what the study says, a pattern."""
    wait_until(lambda: re.match(words, says(page)), f"the words {words}", 20)


def printed(page):
    """What all cells have printed, one text."""
    return page.js(
        """
        const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
        const outputs = cells.filter(cell => cell.type === 'code').flatMap(cell => cell.outputs.toJSON());
        return outputs.map(output => [output.text ?? ''].flat().join('')).join('');
        """
    )


@pytest.mark.long  # `make test` moves the sliders of lessons 0, 2 and 12, and plays the study outside of its lesson
def test_a_reader_plays_the_study_and_finds_the_answers_in_the_table(lab):
    page = lab.open("lesson.ipynb")
    page.run_all(240)
    assert page.trouble() == []
    assert not (lab.folder / "study_answers").exists()
    assert re.search(r"^best +0 +0 +not run: play it", printed(page), re.M)
    page.press(f"{PLACE} .colorize-study-name input", Keys.CONTROL + "a" + Keys.NULL + "Ada")
    page.press(f"{PLACE} .colorize-study-start", Keys.ENTER)
    for practice in (1, 2):
        wait_for(page, f"Practice {practice} of 2\\.")
        answer(page)
        wait_for(page, r"(Right|No)\. The (first|second) one was recolored\.")
        page.press(f"{PLACE} .colorize-study-next", Keys.ENTER)
    for pair in (1, 2):
        wait_for(page, f"Pair {pair} of 10\\.")
        answer(page)
    wait_for(page, r"Pair 3 of 10\.")
    (path,) = (lab.folder / "study_answers").iterdir()
    answers = study.read(path)
    assert [each.practice for each in answers] == [True, True, False, False]
    assert {each.method for each in answers[2:]} == {"best", "l2"}
    assert {each.photo for each in answers} < set(study.bundled_squares(8)[0])

    page.run_all(240)
    assert page.trouble() == []
    for row in study.results(answers, protocol="pair"):
        assert re.search(rf"^{row.method} +1 +1 +{100 * row.rate:.1f} %", printed(page), re.M)
    assert lab.console_errors() == []
