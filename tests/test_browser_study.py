"""The real-or-fake study, played in a browser, in a notebook that the test writes: nothing of it stays."""

import re

import nbformat
import pytest
from browser import wait_until
from selenium.webdriver.common.keys import Keys

from colorize import build, study
from colorize.answers import append, file_of

CELLS = (
    "from colorize import study\nfrom colorize.study_demo import study_demo\n\n"
    "names, true = study.bundled_squares(96)\nnames, true = names[:4], true[:4]\n"
    "recolored = {'swapped': true[:, [2, 1, 0]], 'gray': true.mean(dim=1, keepdim=True).expand_as(true)}",
    "study_demo(true, recolored, practice=1, names=names)",
    "study_demo(true, recolored, 'single', practice=0, names=names)",
)
# What the pictures do is written down as it happens: which one's time begins and ends, and how long the browser says that it
# was. No clock of ours is asked.
WATCH = """
window.colorizeSeen = [];
const write = event => {
    if (event.animationName !== 'colorize-study-show') return;
    const figures = [...event.target.parentElement.querySelectorAll('figure')];
    const loaded = figures.map(figure => figure.querySelector('img')).every(image => image.naturalWidth === 96);
    window.colorizeSeen.push([event.type, figures.indexOf(event.target), event.elapsedTime, loaded]);
};
for (const type of ['animationstart', 'animationend']) document.addEventListener(type, write, true);
"""
# What can be seen at some times of the animation, which is begun anew and put to these times.
SEEK = """
const figures = [...document.querySelectorAll(arguments[0] + ' figure')];
for (const name of ['none', '']) for (const figure of figures) {
    figure.style.animationName = name;
    figure.getBoundingClientRect();
}
const runs = figures.map(figure => figure.getAnimations()[0]);
return arguments[1].map(time => {
    for (const run of runs) { run.pause(); run.currentTime = time; }
    return figures.map(figure => getComputedStyle(figure.querySelector('img')).visibility === 'visible');
});
"""
NAMES = [f"astronaut {number}" for number in range(1, 5)]
PAIR, SINGLE = ".colorize-study-pair", ".colorize-study-single"


@pytest.fixture(scope="module")
def page(lab):
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=build.METADATA), lab.folder / "play.ipynb")
    page = lab.open("play.ipynb")
    page.run_all()
    assert page.trouble() == []
    return page


def says(page, where):
    return page.texts(f"{where} .colorize-study-status")[0]


def wait_for(page, where, words):
    wait_until(lambda: says(page, where).startswith(words), f"the words {words}", 20)


def has_focus(page, name):
    focus = "return document.activeElement.classList.contains(arguments[0])"
    wait_until(lambda: page.js(focus, f"colorize-study-{name}"), f"the focus on {name}", 20)


def begin(page, where, player):
    page.press(f"{where} .colorize-study-name input", Keys.CONTROL + "a" + Keys.NULL + player)
    # At once: the name must be there before the click is.
    page.press(f"{where} .colorize-study-start", Keys.ENTER)


def test_pairs_are_shown_in_turn_and_answered_with_the_keyboard(lab, page):
    assert not (lab.folder / "study_answers").exists()
    page.js(WATCH)
    begin(page, PAIR, "Ada")
    for number, words in enumerate(("Practice 1 of 1.", "Pair 1 of 3.", "Pair 2 of 3.", "Pair 3 of 3.")):
        wait_for(page, PAIR, words)
        if number == 1:  # people who want no motion see the same from here on
            features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
            page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        wait_until(
            lambda: page.js("return window.colorizeSeen.length") == 4, "both pictures to come and go", 20
        )
        seen = page.js("return window.colorizeSeen.splice(0)")
        assert seen[0][:2] == ["animationstart", 0] and seen[3][:2] == ["animationend", 1]
        for picture in (
            0,
            1,
        ):  # the end of the one and the start of the other fall into one frame, in either order
            own = [each for each in seen if each[1] == picture]
            assert own == [["animationstart", picture, 0, True], ["animationend", picture, 1, True]]
        alts = page.js(f"return [...document.querySelectorAll('{PAIR} img')].map(image => image.alt)")
        assert alts == ["picture A", "picture B"]
        assert page.texts(f"{PAIR} figure") == []  # a blank place: the answer is from memory
        if number == 3:
            times = [499, 501, 1499, 1501, 2499, 2501]  # milliseconds
            first, second = [True, False], [False, True]
            assert page.js(SEEK, PAIR, times) == [[False] * 2, first, first, second, second, [False] * 2]
        # The keyboard's focus is on the first button already, and stays on the one that was pressed.
        has_focus(page, "first" if number < 2 else "second")
        if number == 1:
            page.press(f"{PAIR} .colorize-study-second", Keys.ENTER)
        else:
            page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        if number == 0:
            told = r"(Right|No)\. The (first|second) one"
            wait_until(lambda told=told: re.match(told, says(page, PAIR)), "the answer", 20)
            assert set(page.texts(f"{PAIR} figcaption")) == {"the true photo", "recolored"}
            has_focus(page, "next")
            page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(page, PAIR, "Done, Ada:")
    (path,) = (lab.folder / "study_answers").iterdir()
    answers = study.read(path)
    assert [answer.answer for answer in answers] == ["first", "second", "second", "second"]
    assert [answer.practice for answer in answers] == [True, False, False, False]
    right = sum(answer.correct for answer in answers[1:])
    assert says(page, PAIR) == f"Done, Ada: {right} of 3 right. Your answers are in study_answers/{path.name}"
    (table,) = page.texts(f"{PAIR} .colorize-study-table")
    for row in study.results(answers, ["swapped", "gray"], "pair"):
        assert re.search(rf"{row.method}\s+1\s+{row.answers}\s+{100 * row.rate:.1f} %", table), table
    assert lab.console_errors() == []


def test_single_pictures_and_the_answers_of_a_class(lab, page):
    # What somebody else in the class said, as a script: whom all pictures fooled.
    for trial in study.trials(NAMES, "single", 0, player="Cy", methods=["swapped", "gray"]):
        asked = trial.method, trial.photo, trial.number, False, trial.shown
        append(
            file_of(lab.folder / "study_answers", "Cy", "single"),
            study.Answer("Cy", "single", *asked, "real", 700),
        )
    begin(page, SINGLE, "Bo")
    for number in range(1, 5):
        wait_for(page, SINGLE, f"Picture {number} of 4.")
        assert len(page.texts(f"{SINGLE} figure")) == 1  # to be seen until the answer
        answered = f"Picture {number + 1}" if number < 4 else "Done"

        def click(answered=answered):
            """Again if the click came too early, as a double click does."""
            if says(page, SINGLE).startswith(answered):
                return True
            page.press(f"{SINGLE} .colorize-study-recolored", Keys.ENTER)
            return False

        wait_until(click, answered, 20)
    answers = study.read(file_of(lab.folder / "study_answers", "Bo", "single"))
    assert {answer.player for answer in answers} == {"Bo"}
    assert sorted(answer.photo for answer in answers) == NAMES
    assert says(page, SINGLE).startswith("Done, Bo: 3 of 4 right.")  # one of four is real
    own, everyone = page.texts(f"{SINGLE} .colorize-study-table")
    assert "Your answers" in own and "All answers in the folder" in everyone
    assert own.count("0.0 %") >= 2 and "45.87 %" in everyone
    for row in study.results(study.merge(lab.folder / "study_answers"), ["swapped", "gray"], "single"):
        assert row.players == 2
        assert re.search(rf"{row.method}\s+2\s+{row.answers}\s+{100 * row.rate:.1f} %", everyone), everyone
    assert lab.console_errors() == []
