"""The real-or-fake study as a game in a notebook: look, say which one was recolored, see how often you were fooled.

Who sees what and what the answers say is in :mod:`colorize.study`. Here are the pictures, the buttons, and the seconds.
"""

import base64
import html
import math
import os
import secrets
from pathlib import Path
from time import monotonic

import ipywidgets
from torch import Tensor

from .answers import TRUTH, Answer, StudyError, append, check_player, file_of, merge, read
from .study import CHOICES, Result, Trial, cells, results, trials
from .widgets import jpeg

# The seconds are the browser's. Both pictures of a pair arrive in one piece of HTML, on top of each other and hidden, and a
# CSS animation shows one, then the other, then none. A kernel that slept would be deaf meanwhile, and one that sent a picture
# a second would send the delays of the way to the screen along. The delay at the start is for decoding: a second counts from
# when there is something to see. Nothing moves or fades, there are three cuts, so prefers-reduced-motion changes nothing, and
# all answers come from the same task. (A cell that is scrolled far away and back may show its pair once more.)
STYLE = """<style>
.colorize-study-stage {display: grid; justify-content: start; gap: 8px; grid-auto-flow: column; min-height: 300px}
.colorize-study-stage figure {margin: 0; text-align: center}
.colorize-study-timed figure {grid-area: 1 / 1; visibility: hidden; animation: colorize-study-show}
@keyframes colorize-study-show {from, to {visibility: visible}}
.colorize-study-table :is(th, td) {padding: 2px 8px; text-align: left}
</style>"""
LEAD = 0.5  # of the time of a picture passes before the first one is shown, and before an answer to a single one is taken
SMALLEST = 256  # pixels; smaller pictures are shown at this width, Zhang et al. showed all at it


def study_demo(
    true: Tensor,
    recolored: dict[str, Tensor],
    protocol: str = "pair",
    practice: int = 2,
    folder: str | os.PathLike = "study_answers",
    seed: int = 0,
    seconds: float = 1.0,
    names: list[str] | None = None,
) -> ipywidgets.VBox:
    """Play the study in a notebook, one person after the other.

    Each answer is written to a file of that person in ``folder`` as soon as it is given; before the first one, nothing is
    written. Nothing leaves the machine. Whoever types a name that has answers goes on where they end.

    Parameters
    ----------
    true : photos (N, 3, H, W), sRGB in [0, 1].
    recolored : for each method its pictures, in the same shape and order. A person sees each photo once, so that several
        methods share the photos among them.
    protocol : "pair" or "single", see :mod:`colorize.study`.
    practice : trials at the start whose answers are told and not counted.
    folder : for the files; all that lie there make the table at the end.
    seed : another one gives everybody another order.
    seconds : for each picture of a pair. "single" shows its picture until the answer.
    names : of the photos, all different; "photo 1", "photo 2", ... if not given.

    Returns
    -------
    The widget to display: the last line of a cell. CSS classes ``colorize-study-PROTOCOL``, and in it ``colorize-study-``
    ``name``, ``start``, ``first``, ``second``, ``real``, ``recolored``, ``next``, ``again``, ``stage``, ``status``, ``table``.

    Raises
    ------
    ValueError if shapes, values or numbers do not fit.
    """
    if not (isinstance(true, Tensor) and true.ndim == 4 and true.shape[1] == 3 and true.numel()):
        raise ValueError(f"true: expected photos (N, 3, H, W), received {_what(true)}")
    if not isinstance(recolored, dict):
        raise ValueError(f"recolored: expected a dict {{method: pictures}}, received {_what(recolored)}")
    for name, pictures in [("true", true), *recolored.items()]:
        if _what(pictures) != _what(true) or not pictures.is_floating_point():
            raise ValueError(f"{name}: expected floats of shape {_what(true)}, received {_what(pictures)}")
        if not (pictures.min() >= 0 and pictures.max() <= 1):
            received = f"{pictures.min():g} to {pictures.max():g}"
            raise ValueError(f"{name}: expected values in [0, 1], received {received}")
    names = [f"photo {n}" for n in range(1, len(true) + 1)] if names is None else list(names)
    if len(names) != len(true):
        raise ValueError(f"names: expected {len(true)}, one for each photo, received {len(names)}")
    if not 0 < seconds < math.inf:
        raise ValueError(f"seconds: expected a time above 0, received {seconds}")
    trials(
        names, protocol, practice, seed, methods=recolored
    )  # to say here, not after a click, what does not fit
    return _Game({TRUTH: true, **recolored}, names, protocol, practice, Path(folder), seed, seconds).box


class _Game:
    """The states: welcome, a trial, what the answer to a practice trial was, the result.

    All widgets stay in the page and those of other states are hidden: a button that is pressed for each trial keeps the focus.
    """

    def __init__(
        self,
        pictures: dict[str, Tensor],
        names: list[str],
        protocol: str,
        practice: int,
        folder: Path,
        seed: int,
        seconds: float,
    ) -> None:
        self.pictures, self.names, self.protocol, self.pair = pictures, names, protocol, protocol == "pair"
        self.practice, self.folder, self.seed, self.seconds = practice, folder, seed, seconds
        self.methods = [name for name in pictures if name != TRUTH]
        self.status, self.stage = ipywidgets.HTML(), ipywidgets.HTML()
        # Letters sent one by one may arrive after the click on a button that follows them: a name is sent as a whole.
        self.name = ipywidgets.Text(description="Your name", continuous_update=False)
        self.name.add_class("colorize-study-name")
        self.start, self.next = _button("start", "Start"), _button("next", "Next")
        self.again = _button("again", "Next person")
        texts = ("A, the first", "B, the second") if self.pair else ("Real", "Recolored")
        self.choices = [_button(*both) for both in zip(CHOICES[protocol], texts, strict=True)]
        self.start.on_click(self._start)
        self.next.on_click(self._go_on)
        self.again.on_click(self._welcome)
        for button, choice in zip(self.choices, CHOICES[protocol], strict=True):
            button.on_click(lambda _, choice=choice: self._answer(choice))
        self.controls = [self.name, self.start, *self.choices, self.next, self.again]
        self.box = ipywidgets.VBox([self.stage, self.status, ipywidgets.HBox(self.controls)])
        self.box.add_class(f"colorize-study-{protocol}")
        self._welcome()

    def _welcome(self, _button: object = None) -> None:
        count, practice = len(self.names), ""
        if self.pair:
            what = (
                f"You will see {count} photos twice, as they are and recolored by a program, {self.seconds:g} s each, in "
                "random order. Which of the two was recolored?"
            )
        else:
            what = (
                f"You will see {count} pictures. Some are photos as they are, some were recolored by a program. Which "
                "are which?"
            )
        if self.practice:
            those = "one is" if self.practice == 1 else f"{self.practice} are"
            practice = f" The first {those} for practice: you are told the answer."
        self.stage.value = (
            f"<p>{what} Take your time for the answer.{practice} The study is made for eyes with normal color vision.</p>"
            f"<p>Your answers are kept in the folder <code>{html.escape(str(self.folder))}</code>, in a file with the name "
            "below: type yours, or leave the one made up for you. Nothing leaves this machine. "
            "Tab goes from button to button, Enter presses one.</p>"
        )
        # Not from the seed: two people with the same notebook need two names.
        self.name.value = f"player-{secrets.token_hex(3)}"
        self.asking = False
        self._say("")
        self._show(self.name, self.start)
        if _button:  # pressed; at first the focus stays where the reader is
            self.name.focus()

    def _start(self, _button: object) -> None:
        """Find out who plays, and where that person stands."""
        try:
            self.player = check_player(self.name.value)
            self.path = file_of(self.folder, self.player, self.protocol)
            asked = self.protocol, self.practice, self.seed, self.player, self.methods
            self.trials = trials(self.names, *asked)
            self.answers = read(self.path) if self.path.exists() else []
            before = [(a.player, a.trial, a.photo, a.method, a.shown, a.practice) for a in self.answers]
            mine = [(self.player, t.number, t.photo, t.method, t.shown, t.practice) for t in self.trials]
            if before != mine[: len(before)]:
                raise StudyError(
                    f"{self.path}: expected answers of {self.player} to these pictures, received answers to others. Choose "
                    "another name or another folder."
                )
        except (OSError, StudyError) as error:
            self._say(str(error))
            return
        self._go_on()

    def _go_on(self, _button: object = None) -> None:
        """Show the next trial, or the result after the last one."""
        if len(self.answers) == len(self.trials):
            self._result()
            return
        trial, now = self.trials[len(self.answers)], monotonic()
        if self.pair:
            self.counts_from = self.opens = now + (LEAD + 2) * self.seconds
            figures = [
                _figure(self._picture(trial, kind), f"picture {letter}", letter, (LEAD + i) * self.seconds, self.seconds)
                for i, (kind, letter) in enumerate(zip(_order(trial), "AB", strict=True))
            ]  # fmt: skip
        else:
            self.counts_from, self.opens = now, now + LEAD * self.seconds
            figures = [_figure(self._picture(trial, trial.shown), "the picture")]
        number, count = trial.number, self.practice
        if not trial.practice:
            number, count = trial.number - self.practice, len(self.trials) - self.practice
        kind = "Practice" if trial.practice else "Pair" if self.pair else "Picture"
        question = "Which one was recolored?" if self.pair else "Real or recolored?"
        self.question = f"{kind} {number} of {count}. {question}"
        self._draw(figures, timed=self.pair)
        self._say(self.question)
        came_from_elsewhere = self.choices[0].layout.display == "none"
        self._show(*self.choices)
        if came_from_elsewhere:
            self.choices[0].focus()
        self.asking = True

    def _answer(self, choice: str) -> None:
        if not self.asking:  # the second click of a double click
            return
        now = monotonic()
        if now < self.opens:
            # The kernel began to count before the browser showed anything: nobody who has seen all comes too early.
            self._say(f"{self.question} An answer is taken once all has been shown.")
            return
        trial = self.trials[len(self.answers)]
        answer = Answer(
            *(
                self.player,
                self.protocol,
                trial.method,
                trial.photo,
                trial.number,
                trial.practice,
                trial.shown,
            ),
            answer=choice,
            milliseconds=round(1000 * (now - self.counts_from)),
        )
        try:
            append(self.path, answer)
        except (OSError, StudyError) as error:
            self._say(f"The answer could not be kept: {error}. Answer again when that is repaired.")
            return
        self.answers.append(answer)
        self.asking = False
        if trial.practice:
            self._tell(trial, answer.correct)
        else:
            self._go_on()

    def _tell(self, trial: Trial, correct: bool) -> None:
        """Say what the answer to a practice trial was, and show it without haste."""
        if self.pair:
            kinds, told = _order(trial), f"The {trial.shown} one was recolored."
        else:
            kinds, told = ("real", "recolored")[: 1 + (trial.method != TRUTH)], f"It was {trial.shown}."
        words = {"real": "the true photo", "recolored": "recolored"}
        self._draw([_figure(self._picture(trial, kind), words[kind], words[kind]) for kind in kinds])
        self._say(f"{'Right' if correct else 'No'}. {told}")
        self._show(self.next)
        self.next.focus()

    def _result(self) -> None:
        """Show what the person's own answers say, and all that lie in the folder if there are others."""
        tables = [_table("Your answers", results(self.answers, self.methods, self.protocol))]
        try:
            everyone = merge(self.folder)
            if {each.player for each in everyone if each.protocol == self.protocol} != {self.player}:
                rows = results(everyone, self.methods, self.protocol)
                tables.append(_table("All answers in the folder", rows, published=True))
        except StudyError as error:
            tables.append(f"<p>Not all answers in the folder can be used. {html.escape(str(error))}</p>")
        self.stage.value = STYLE + "".join(tables)
        right = [answer.correct for answer in self.answers if not answer.practice]
        self._say(f"Done, {self.player}: {sum(right)} of {len(right)} right. Your answers are in {self.path}")
        self._show(self.again)
        self.again.focus()

    def _picture(self, trial: Trial, kind: str) -> Tensor:
        pictures = self.pictures[TRUTH if kind == "real" else trial.method]
        return pictures[self.names.index(trial.photo)]

    def _draw(self, figures: list[str], timed: bool = False) -> None:
        kind = " colorize-study-timed" if timed else ""
        self.stage.value = f'{STYLE}<div class="colorize-study-stage{kind}">{"".join(figures)}</div>'

    def _say(self, text: str) -> None:
        self.status.value = f'<div class="colorize-study-status" role="status">{html.escape(text)}</div>'

    def _show(self, *controls: ipywidgets.Widget) -> None:
        for control in self.controls:
            control.layout.display = None if control in controls else "none"


def _order(trial: Trial) -> tuple[str, ...]:
    """What the two pictures of a pair are."""
    return ("recolored", "real") if trial.shown == "first" else ("real", "recolored")


def _button(name: str, text: str) -> ipywidgets.Button:
    button = ipywidgets.Button(description=text)
    button.add_class(f"colorize-study-{name}")
    return button


def _figure(picture: Tensor, alt: str, caption: str = "", delay: float = 0.0, seconds: float = 0.0) -> str:
    """A picture as HTML, on show for some seconds after a delay where the stage is timed."""
    source = "data:image/jpeg;base64," + base64.b64encode(jpeg(picture)).decode()
    width = max(SMALLEST, picture.shape[-1])
    image = f'<img width="{width}" alt="{html.escape(alt)}" decoding="sync" src="{source}">'
    times = f"animation-delay: {delay:g}s; animation-duration: {seconds:g}s"
    return f'<figure style="{times}">{image}<figcaption>{html.escape(caption)}</figcaption></figure>'


def _table(caption: str, rows: list[Result], published: bool = False) -> str:
    heads, *lines = [[html.escape(text) for text in row] for row in cells(rows, published)]
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{text}</td>" for text in line) + "</tr>" for line in lines)
    return f'<table class="colorize-study-table"><caption>{caption}</caption><tr>{head}</tr>{body}</table>'


def _what(thing: object) -> tuple[int, ...] | str:
    return tuple(thing.shape) if isinstance(thing, Tensor) else type(thing).__name__
