"""The game of the study, played without a browser: buttons are clicked, the clock is ours, the files are read."""

import base64
import html
import io
import re

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from colorize import study, study_demo
from colorize.answers import file_of

N = 8
NAMES = [f"photo {n}" for n in range(1, N + 1)]
# Flat pictures that say what they are: true ones are gray, "l2" is reddish, "class" bluish, and the lightness is the photo's.
LEVELS = torch.linspace(0.2, 0.8, N).reshape(N, 1, 1, 1)
TRUE = LEVELS.expand(N, 3, 8, 8).contiguous()
TINTS = {"l2": torch.tensor([0.15, 0, 0]), "class": torch.tensor([0, 0, 0.15])}
RECOLORED = {name: TRUE + tint.reshape(1, 3, 1, 1) for name, tint in TINTS.items()}


class Clock:
    """A clock that is moved by hand."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(study_demo, "monotonic", clock)
    return clock


class Player:
    """Someone before the game: sees what can be seen, and presses buttons that can be pressed."""

    def __init__(self, clock, folder, protocol="pair", **options):
        self.clock, self.protocol = clock, protocol
        arguments = {"practice": 2, "folder": folder, **options}
        self.box = study_demo.study_demo(TRUE, RECOLORED, protocol, **arguments)
        self.stage, self.status, controls = self.box.children
        self.controls = {
            control._dom_classes[0].removeprefix("colorize-study-"): control for control in controls.children
        }

    def visible(self):
        return {name for name, control in self.controls.items() if control.layout.display != "none"}

    def press(self, name):
        assert name in self.visible()
        self.controls[name].click()

    def says(self):
        return html.unescape(
            re.fullmatch('<div class="colorize-study-status" role="status">(.*)</div>', self.status.value)[1]
        )

    def start(self, name):
        self.controls["name"].value = name
        self.press("start")

    def pictures(self):
        """What the pictures of the stage are, (photo, "true" or the method), by their colors."""
        found = []
        for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', self.stage.value):
            color = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), float).mean((0, 1)) / 255
            level = color[1]
            photo = NAMES[int(abs(LEVELS.flatten().numpy() - level).argmin())]
            kind = "l2" if color[0] > level + 0.07 else "class" if color[2] > level + 0.07 else "true"
            found.append((photo, kind))
        return found

    def timed(self):
        """Whether the pictures of the stage come and go."""
        (classes,) = re.findall('<div class="(colorize-study-stage[^"]*)"', self.stage.value)
        return "colorize-study-timed" in classes.split()

    def wait(self, seconds=3.0):
        self.clock.now += seconds

    def truth(self):
        """The right answer to what is on the stage."""
        kinds = [kind for _, kind in self.pictures()]
        if self.protocol == "pair":
            assert len(kinds) == 2 and kinds.count("true") == 1
            return ("first", "second")[kinds[0] == "true"]
        assert len(kinds) == 1
        return "real" if kinds == ["true"] else "recolored"

    def play(self, rights):
        """Answer trials, rightly where ``rights`` says so; returns what was on the stage."""
        seen = []
        for right in rights:
            seen.append(self.pictures())
            self.wait()
            truth = self.truth()
            (wrong,) = set(study.CHOICES[self.protocol]) - {truth}
            self.press(truth if right else wrong)
            if "next" in self.visible():
                self.press("next")
        return seen


def test_nothing_is_written_before_the_first_answer(clock, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    player = Player(clock, "study_answers")
    assert player.visible() == {"name", "start"}
    assert "Nothing leaves this machine" in player.stage.value and "study_answers" in player.stage.value
    assert "The first 2 are for practice" in player.stage.value
    assert "The first one is for practice" in Player(clock, "a", practice=1).stage.value
    assert "for practice" not in Player(clock, "a", practice=0).stage.value
    player.press("start")
    assert list(tmp_path.iterdir()) == []
    player.play([True])
    assert [path.name for path in tmp_path.iterdir()] == ["study_answers"]


def test_pairs_from_the_welcome_to_the_result(clock, tmp_path):
    player = Player(clock, tmp_path)
    assert "colorize-study-pair" in player.box._dom_classes
    player.start(" Ada ")
    assert player.says() == "Practice 1 of 2. Which one was recolored?"
    assert player.visible() == {"first", "second"} and player.timed()
    outcomes = [True, False, True, False, False, True, True, True]  # two of practice, then 2 of 6 fooled
    seen = player.play(outcomes)
    assert sorted(both[0][0] for both in seen) == NAMES and all(a[0] == b[0] for a, b in seen)
    found = study.read(file_of(tmp_path, "Ada", "pair"))
    assert [(a.photo, *sorted(("true", a.method))) for a in found] == [
        (photo, *sorted((first, second))) for (photo, first), (_, second) in seen
    ]
    assert [a.shown for a in found] == [("first", "second")[both[0][1] == "true"] for both in seen]
    assert [a.correct for a in found] == outcomes
    assert [a.practice for a in found] == [True] * 2 + [False] * 6
    assert [a.trial for a in found] == list(range(1, 9))
    assert {a.player for a in found} == {"Ada"}
    assert {a.milliseconds for a in found} == {500}  # 3 s after the start, of which 2.5 s of showing
    assert player.visible() == {"again"}
    assert player.says() == f"Done, Ada: 4 of 6 right. Your answers are in {file_of(tmp_path, 'Ada', 'pair')}"
    rows = study.results(found, RECOLORED, "pair")
    assert sum(row.fooled for row in rows) == 2 and [row.answers for row in rows] == [3, 3]
    assert player.stage.value.count("<table") == 1
    for row in rows:
        assert (
            f"<td>{row.method}</td><td>1</td><td>3</td><td>{100 * row.rate:.1f} %</td>" in player.stage.value
        )


def test_single_pictures(clock, tmp_path):
    player = Player(clock, tmp_path, "single", practice=0)
    player.start("Ada")
    assert player.says() == "Picture 1 of 8. Real or recolored?"
    assert player.visible() == {"real", "recolored"}
    assert not player.timed()  # there until the answer
    outcomes = [True, False] * 4
    seen = player.play(outcomes)
    found = study.read(file_of(tmp_path, "Ada", "single"))
    assert [(a.photo, a.method.replace(study.TRUTH, "true")) for a in found] == [one for (one,) in seen]
    assert [kind for ((_, kind),) in seen].count("true") == 2  # one in four
    assert [a.correct for a in found] == outcomes
    assert {a.milliseconds for a in found} == {3000}
    believed = [a.answer for a in found if a.shown == "real"].count("real")
    assert player.stage.value.count(f"<td>{50 * believed:.1f} %</td>") >= 2


def test_practice_tells_the_answer_and_the_test_does_not(clock, tmp_path):
    player = Player(clock, tmp_path, practice=1)
    player.start("Ada")
    place, shown = player.truth(), player.pictures()
    player.wait()
    player.press({"first": "second", "second": "first"}[place])
    assert player.says() == f"No. The {place} one was recolored."
    assert player.visible() == {"next"}
    assert player.pictures() == shown and not player.timed()
    captions = re.findall("<figcaption>(.*?)</figcaption>", player.stage.value)
    assert captions == ["the true photo" if kind == "true" else "recolored" for _, kind in shown]
    player.press("next")
    assert player.says() == "Pair 1 of 7. Which one was recolored?"
    player.play([False])
    assert player.says() == "Pair 2 of 7. Which one was recolored?"

    single = Player(clock, tmp_path, "single", practice=2)
    single.start("Ada")
    for _ in range(2):
        (what,) = single.pictures()
        single.wait()
        single.press("real")
        right = what[1] == "true"
        assert single.says() == ("Right. It was real." if right else "No. It was recolored.")
        assert single.pictures() == ([what] if right else [(what[0], "true"), what])
        single.press("next")


def test_a_pair_tells_nothing_but_its_colors(clock, tmp_path):
    """But for the pictures, the page is the same whichever of the two is recolored."""
    player = Player(clock, tmp_path, seconds=2.0)
    player.start("Ada")
    pages = {}
    for _ in range(N):
        order = player.truth()
        pages.setdefault(order, set()).add(re.sub(r'base64,[^"]+', "", player.stage.value))
        assert re.findall('alt="(.*?)"', player.stage.value) == ["picture A", "picture B"]
        player.wait(5)
        player.press("first")
        if "next" in player.visible():
            player.press("next")
    assert (
        set(pages) == {"first", "second"} and pages["first"] == pages["second"] and len(pages["first"]) == 1
    )
    (page,) = pages["first"]
    assert re.findall("animation-delay: (.*?)s; animation-duration: (.*?)s", page) == [("1", "2"), ("3", "2")]


def test_no_answer_before_all_was_shown(clock, tmp_path):
    player = Player(clock, tmp_path)
    player.start("Ada")
    stage = player.stage.value
    player.wait(2.4)
    player.press("first")
    assert player.says() == (
        "Practice 1 of 2. Which one was recolored? An answer is taken once all has been shown."
    )
    assert list(tmp_path.iterdir()) == [] and player.stage.value == stage  # the pictures do not start anew
    player.wait(0.2)
    player.press("first")
    assert study.read(file_of(tmp_path, "Ada", "pair"))[0].milliseconds == 100


def test_a_double_click_is_one_click(clock, tmp_path):
    player = Player(clock, tmp_path, "single", practice=1)
    player.start("Ada")
    player.controls["start"].click()
    player.wait()
    path = file_of(tmp_path, "Ada", "single")
    for _ in range(2):
        player.controls["real"].click()
        player.wait()
    assert len(study.read(path)) == 1 and player.visible() == {"next"}
    for _ in range(2):
        player.controls["next"].click()
    assert player.says().startswith("Picture 1 of 7.")
    for _ in range(2):
        player.wait(0.1)
        player.controls["real"].click()
    assert len(study.read(path)) == 1  # too early, both
    player.wait(0.4)
    player.controls["real"].click()
    player.wait(0.1)
    player.controls["real"].click()
    assert len(study.read(path)) == 2
    player.play([True] * 6)
    for name in ("real", "next"):
        player.controls[name].click()
    assert len(study.read(path)) == 8 and player.visible() == {"again"}


def test_after_a_kernel_has_died_one_goes_on(clock, tmp_path):
    Player(clock, tmp_path).start("nobody")
    first = Player(clock, tmp_path)
    first.start("Ada")
    seen = first.play([True] * 5)
    second = Player(clock, tmp_path)  # the cell is run again
    second.start("Ada")
    assert second.says() == "Pair 4 of 6. Which one was recolored?"
    seen += second.play([True] * 3)
    assert sorted(photo for (photo, _), _ in seen) == NAMES
    assert second.says().startswith("Done, Ada: 6 of 6 right.")
    third = Player(clock, tmp_path)
    third.start("Ada")
    assert third.says() == second.says() and third.stage.value == second.stage.value


def test_two_people_and_all_answers_of_the_folder(clock, tmp_path):
    player = Player(clock, tmp_path)
    made_up = player.controls["name"].value
    assert re.fullmatch("player-[0-9a-f]{6}", made_up)
    player.press("start")
    one = player.play([True] * 8)
    assert "All answers in the folder" not in player.stage.value
    player.press("again")
    assert player.visible() == {"name", "start"} and player.controls["name"].value != made_up
    player.start("Bo")
    other = player.play([False] * 8)
    assert [both[0][0] for both in one] != [both[0][0] for both in other]
    own, everyone = re.findall("<table.*?</table>", player.stage.value)
    assert "Your answers" in own and "All answers in the folder" in everyone
    for row in study.results(study.merge(tmp_path), RECOLORED, "pair"):
        assert (row.players, row.answers, row.rate) == (2, 6, 0.5)
        assert f"<td>{row.method}</td><td>2</td><td>6</td><td>50.0 %</td><td>18.8 to 81.2 %</td>" in everyone
    assert "KTH, section 5.3" in everyone and "Koalarization" not in everyone
    single = Player(clock, tmp_path, "single")  # nobody else has played this one
    single.start("Ada")
    single.play([True] * 8)
    assert "All answers in the folder" not in single.stage.value


def test_what_goes_wrong_is_said(clock, tmp_path):
    player = Player(clock, tmp_path)
    player.start("<b>")
    assert player.says().startswith("name: expected 1 to 40 letters") and "<b>" not in player.status.value
    assert player.visible() == {"name", "start"}
    player.start("Ada")
    player.play([True])
    other = Player(clock, tmp_path, seed=1)
    other.start("Ada")
    assert "expected answers of Ada to these pictures, received answers to others" in other.says()
    assert other.visible() == {"name", "start"}
    path = file_of(tmp_path, "Ada", "pair")
    kept = path.read_text()
    path.write_text(kept + "half a li")
    player.wait()
    player.press("first")
    assert "line 3: expected 10 values" in player.says() and "Answer again" in player.says()
    path.write_text(kept)
    player.press("first")
    assert len(study.read(path)) == 2
    player.press("next")
    (tmp_path / "other.csv").write_text("a,b\n")
    player.play([True] * 6)
    assert "Done, Ada" in player.says() and "Not all answers in the folder can be used" in player.stage.value


def test_a_folder_that_cannot_be_written(clock, tmp_path):
    (tmp_path / "file").write_text("no folder")
    player = Player(clock, tmp_path / "file")
    player.start("Ada")
    stage = player.stage.value
    player.wait()
    player.press("first")
    assert player.says().startswith("The answer could not be kept: ") and player.stage.value == stage
    assert player.visible() == {"first", "second"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"true": TRUE[0]}, r"true: expected photos \(N, 3, H, W\), received \(3, 8, 8\)"),
        ({"true": [1]}, r"true: expected photos \(N, 3, H, W\), received list"),
        ({"true": (TRUE * 255).byte()}, "true: expected floats"),
        ({"recolored": RECOLORED["l2"]}, r"recolored: expected a dict \{method: pictures\}"),
        ({"recolored": {}}, "methods: expected different names"),
        ({"recolored": {"truth": TRUE}}, "methods: 'truth' stands for the true photo"),
        (
            {"recolored": {"l2": TRUE[1:]}},
            r"l2: expected floats of shape \(8, 3, 8, 8\), received \(7, 3, 8, 8\)",
        ),
        ({"recolored": {"l2": TRUE * 255}}, r"l2: expected values in \[0, 1\], received 51 to 204"),
        ({"recolored": {"l2": TRUE * torch.nan}}, r"l2: expected values in \[0, 1\], received nan"),
        ({"protocol": "pairs"}, "protocol: expected pair or single"),
        ({"practice": 8}, "practice: expected 0 to 7 of 8 photos"),
        ({"seconds": 0}, "seconds: expected a time above 0, received 0"),
        ({"seconds": float("nan")}, "seconds: expected a time above 0, received nan"),
        ({"names": ["a"]}, "names: expected 8, one for each photo, received 1"),
        ({"names": ["a"] * 8}, "names: expected different names"),
    ],
)
def test_arguments_that_do_not_fit(arguments, words):
    with pytest.raises(ValueError, match=words):
        study_demo.study_demo(**{"true": TRUE, "recolored": RECOLORED, **arguments})


def test_it_is_built_of_plain_widgets(clock, tmp_path):
    """No Output widget, and each control is one that the Tab key reaches."""

    def every(widget):
        return [widget, *(each for child in getattr(widget, "children", ()) for each in every(child))]

    player = Player(clock, tmp_path)
    kinds = {type(widget) for widget in every(player.box)}
    assert kinds == {ipywidgets.VBox, ipywidgets.HBox, ipywidgets.HTML, ipywidgets.Text, ipywidgets.Button}
    # Letters sent one by one are held back while the kernel is busy, and a click is not: half a name would start.
    assert player.controls["name"].continuous_update is False
