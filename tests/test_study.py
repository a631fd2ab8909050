"""The real-or-fake study: who sees what, the files of answers, and what is counted."""

import collections
import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from colorize import answers, images, study
from colorize.answers import Answer, StudyError

NAMES = [f"photo {n}" for n in range(12)]

# Who sees what

sizes = st.integers(1, 30)
plans = st.fixed_dictionaries(
    {
        "protocol": st.sampled_from(["pair", "single"]),
        "seed": st.integers(0, 5),
        "player": st.text(max_size=5),
        "methods": st.lists(st.sampled_from("abcde"), min_size=1, unique=True),
    }
)


@settings(deadline=None)
@given(sizes, st.data(), plans)
def test_each_photo_once_and_everything_balanced(count, data, plan):
    names = [str(n) for n in range(count)]
    practice = data.draw(st.integers(0, count - 1))
    found = study.trials(names, practice=practice, **plan)
    assert sorted(trial.photo for trial in found) == sorted(names)
    assert [trial.number for trial in found] == list(range(1, count + 1))
    assert [trial.practice for trial in found] == [True] * practice + [False] * (count - practice)
    assert study.trials(names, practice=practice, **plan) == found
    for part in (found[:practice], found[practice:]):
        methods = collections.Counter(dict.fromkeys(plan["methods"], 0))
        methods.update(trial.method for trial in part if trial.shown != "real")
        assert max(methods.values()) - min(methods.values()) <= 1
        shown = collections.Counter(trial.shown for trial in part)
        if plan["protocol"] == "single":
            assert all((trial.method == study.TRUTH) == (trial.shown == "real") for trial in part)
            assert shown["real"] == (max(1, round(len(part) / 4)) if len(part) > 1 else 0)
        else:
            assert abs(shown["first"] - shown["second"]) <= 1
            for method in plan["methods"]:
                own = collections.Counter(trial.shown for trial in part if trial.method == method)
                assert abs(own["first"] - own["second"]) <= 1


def test_twelve_pictures_as_in_deep_koalarization():
    shown = [trial.shown for trial in study.trials(NAMES, "single", practice=0)]
    assert shown.count("recolored") == 9 and shown.count("real") == 3


def test_everybody_has_an_order_of_their_own():
    def orders(**changes):
        plans = [study.trials(NAMES, player=f"player {n}", **changes) for n in range(300)]
        return [tuple(trial.photo for trial in plan) for plan in plans], plans

    photos, plans = orders()
    assert len(set(photos)) == 300
    assert not set(photos) & set(orders(seed=1)[0])
    # Every photo comes at every place, every method colors it, and it is fake at first and at second, as often as chance has it:
    # 25 of 300 at a place, with a standard deviation of 4.8.
    places = np.array([[order.index(name) for name in NAMES] for order in photos])
    counts = np.array([np.bincount(places[:, i], minlength=12) for i in range(12)])
    assert counts.min() >= 25 - 20 and counts.max() <= 25 + 20
    plans = orders(methods=["a", "b"])[1]
    drawn = collections.Counter((trial.photo, trial.method, trial.shown) for plan in plans for trial in plan)
    assert len(drawn) == 12 * 2 * 2
    assert min(drawn.values()) >= 75 - 32 and max(drawn.values()) <= 75 + 32


def test_what_is_left_over_goes_to_a_method_by_chance():
    drawn = collections.Counter()
    for n in range(200):
        last = study.trials("abc", practice=0, player=f"player {n}", methods=["l2", "class"])[-3:]
        drawn.update(trial.method for trial in last)
    assert min(drawn.values()) > 270  # of 600; 200 or 400 if the first of the methods had it always


def test_the_order_is_the_same_on_every_machine():
    found = study.trials("abcdef", player="Ada", seed=3)
    assert "".join(trial.photo for trial in found) == "efcdba"
    assert [trial.number for trial in found if trial.shown == "first"] == [1, 5, 6]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"protocol": "pairs"}, "protocol: expected pair or single, received 'pairs'"),
        ({"names": []}, "names: expected different names"),
        ({"names": ["a", "a"]}, "names: expected different names"),
        ({"names": ["a", "b\n"]}, "names: expected different names"),
        ({"methods": []}, "methods: expected different names"),
        ({"methods": ["truth"]}, "methods: 'truth' stands for the true photo"),
        ({"practice": 12}, "practice: expected 0 to 11 of 12 photos, received 12"),
        ({"practice": -1}, "practice: expected 0 to 11 of 12 photos, received -1"),
    ],
)
def test_trials_that_cannot_be(arguments, words):
    with pytest.raises(ValueError, match=words):
        study.trials(**{"names": NAMES, **arguments})


# What the answers say


@settings(deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_solves_its_quadratic(counts, level):
    """(share - p)^2 = z^2 p (1 - p) / n, as a polynomial in p whose roots NumPy finds."""
    successes, n = counts
    z, share = norm.ppf((1 + level) / 2), successes / n
    roots = np.sort(np.roots([1 + z**2 / n, -2 * share - z**2 / n, share**2]).real)
    assert study.wilson(successes, n, level) == pytest.approx(roots, abs=1e-7)


def test_wilson_at_the_ends():
    assert study.wilson(0, 10) == (0.0, pytest.approx(1.959964**2 / (10 + 1.959964**2), abs=1e-6))
    assert study.wilson(10, 10)[1] == 1.0
    low, high = study.wilson(3, 10)
    assert study.wilson(7, 10) == pytest.approx((1 - high, 1 - low))
    # Brown, Cai and DasGupta (2001) and every table: 0.1078 to 0.6032.
    assert (low, high) == pytest.approx((0.1078, 0.6032), abs=5e-5)
    for bad in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="wilson: expected 0 <= successes <= n"):
            study.wilson(*bad)


def given_answers(player, outcomes, protocol="pair", method="net", first=1, practice=False):
    """Answers of one person: True for a picture that fooled."""
    right, wrong = {"pair": ("first", "second"), "single": ("recolored", "real")}[protocol]
    return [
        Answer(player, protocol, method, f"photo {n}", n, practice, right, wrong if fooled else right, 900)
        for n, fooled in enumerate(outcomes, first)
    ]


def true_pictures(player, outcomes, first):
    """Answers to true photos: True for one that was believed."""
    return [
        Answer(
            player, "single", study.TRUTH, f"photo {n}", n, False, "real", "real" if ok else "recolored", 5
        )
        for n, ok in enumerate(outcomes, first)
    ]


def test_pairs_are_counted():
    given = given_answers("Ada", [1, 0, 0, 0]) + given_answers("Bo", [1, 1, 0, 0])
    given += given_answers("Bo", [1, 1], first=5, practice=True)
    (row,) = study.results(given)
    assert (row.protocol, row.method, row.players, row.answers, row.fooled) == ("pair", "net", 2, 8, 3)
    assert row.rate == row.adversuc == 3 / 8
    assert row.wilson == study.wilson(3, 8)
    assert row.bootstrap == (1 / 4, 2 / 4)  # both drawn the same: 1/4 of the draws, at each end
    assert row.true_called_real is None
    assert row.photos == {"photo 1": (2, 2), "photo 2": (1, 2), "photo 3": (0, 2), "photo 4": (0, 2)}


def test_single_pictures_are_counted_beside_the_true_ones():
    given = given_answers("Ada", [1, 1, 0], "single", "l2") + given_answers(
        "Ada", [0, 0], "single", "class", 4
    )
    given += true_pictures("Ada", [1, 1, 1, 0], 6)
    # "l2" stands first because it is asked for first.
    l2, other, extra = study.results(given, methods=["l2", "class", "gan"])
    assert (l2.method, l2.answers, l2.fooled, l2.rate) == ("l2", 3, 2, 2 / 3)
    assert l2.true_called_real == other.true_called_real == extra.true_called_real == 3 / 4
    assert l2.adversuc == (2 + 1) / (3 + 4)
    assert (other.rate, other.adversuc) == (0, 1 / 6)
    assert (extra.rate, extra.answers, extra.wilson, extra.adversuc) == (None, 0, None, None)
    assert l2.bootstrap is None  # one person says nothing of how people differ


def test_bootstrap_draws_people_not_answers():
    """Against all 256 draws of four people of unlike diligence."""
    outcomes = {"Ada": [1] * 6 + [0] * 4, "Bo": [1, 0, 0, 0], "Cy": [0, 0, 0, 0, 0, 0, 1, 1], "Di": [1, 1, 0]}
    given = [a for name, each in outcomes.items() for a in given_answers(name, each)]
    every = [
        sum(sum(outcomes[name]) for name in drawn) / sum(len(outcomes[name]) for name in drawn)
        for drawn in itertools.product(outcomes, repeat=4)
    ]
    for level in (0.95, 0.8, 0.5, 0.3):
        (row,) = study.results(given, level=level, draws=100_000)
        for share, end in zip(((1 - level) / 2, (1 + level) / 2), row.bootstrap, strict=True):
            lowest, highest = np.quantile(every, [share - 0.005, share + 0.005], method="inverted_cdf")
            assert lowest - 1e-9 <= end <= highest + 1e-9
    (alike,) = study.results([a for name in "abc" for a in given_answers(name, [1, 0, 0, 0])])
    assert alike.bootstrap == (0.25, 0.25)
    assert alike.wilson == study.wilson(3, 12)


def test_bootstrap_of_a_class_has_the_error_of_its_mean():
    """40 people who differ: the interval is 2 x 1.96 standard errors of their mean wide."""
    counts = np.random.default_rng(1).binomial(40, np.linspace(0.05, 0.6, 40))
    given = [
        a for n, count in enumerate(counts) for a in given_answers(f"p{n}", [1] * count + [0] * (40 - count))
    ]
    (row,) = study.results(given)
    error = (counts / 40).std() / np.sqrt(40)
    assert np.diff(row.bootstrap) == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert np.diff(row.bootstrap) > 2 * np.diff(
        row.wilson
    )  # to take answers for independent is to be too sure
    (half,) = study.results(given, level=0.5)
    assert np.diff(half.bootstrap) == pytest.approx(2 * 0.6745 * error, rel=0.08)


def test_without_answers_nothing_is_zero():
    rows = study.results([], methods=["l2"])
    assert [(row.protocol, row.rate, row.wilson) for row in rows] == [
        ("pair", None, None),
        ("single", None, None),
    ]
    assert study.results(given_answers("Ada", [1], practice=True), protocol="pair")[0].rate is None
    text = study.as_text(rows)
    assert text.count("not run: play it") == 2 and "%" not in text.split("\n", 1)[1]
    assert [row[1] for row in study.cells(study.results([], protocol="pair"))] == ["method", "any"]


def test_protocols_are_two():
    with pytest.raises(ValueError, match="protocol: expected pair, single or None, received 'pairs'"):
        study.results([], protocol="pairs")


def test_a_table_to_read():
    rows = study.results(given_answers("Ada", [1, 0, 0, 0]) + given_answers("Bo", [1, 1, 0, 0]))
    heads, own, *papers = study.cells(rows, published=True)
    assert len({len(row) for row in (heads, own, *papers)}) == 1
    assert heads[5:7] == ("95 % (answers)", "95 % (players)")
    assert study.cells(study.results([], level=0.8))[0][5] == "80 % (answers)"
    assert study.cells(study.results(given_answers("Ada", [1]), level=0.9))[0][5] == "90 % (answers)"
    assert own == (*("pair", "net", "2", "8", "37.5 %", "13.7 to 69.4 %", "25.0 to 50.0 %"), "", "37.5 %")
    assert [row[4] for row in papers] == ["32.30 %", "18.78 %"]
    assert study.as_text(rows).splitlines()[1].startswith("pair      net     2        8        37.5 %")


# The files


def one(**changes):
    answer = Answer("Ada", "pair", "net", "photo 1", 1, False, "first", "second", 812)
    return dataclasses.replace(answer, **changes)


words = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.isprintable)


@settings(deadline=None)
@given(
    photo=words,
    method=words.filter(lambda m: m != study.TRUTH),
    numbers=st.tuples(*[st.integers(1, 10**8)] * 2),
)
def test_what_is_written_is_read(tmp_path_factory, photo, method, numbers):
    path = tmp_path_factory.mktemp("a") / "new" / "folder" / "a.csv"
    given = [
        one(photo=photo, method=method, trial=numbers[0]),
        one(trial=numbers[0] + 1, milliseconds=numbers[1]),
    ]
    given.append(
        one(player="Zoë O'Hara-9", protocol="single", method=study.TRUTH, shown="real", answer="real")
    )
    for answer in given:
        answers.append(path, answer)
    assert study.read(path) == given == study.merge(path) == study.merge(path.parent)
    assert os.listdir(path.parent) == ["a.csv"]


def test_a_file_that_a_spreadsheet_has_saved(tmp_path):
    answers.append(tmp_path / "a.csv", one())
    text = (tmp_path / "a.csv").read_bytes()
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n") + b"\r\n")
    assert study.read(tmp_path / "a.csv") == [one()]


HEAD = "player,protocol,method,photo,trial,practice,shown,answer,correct,milliseconds\n"
GOOD = "Ada,pair,net,photo 1,1,no,first,second,no,812\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: expected player,.*, received an empty file"),
        ("a,b\n", "line 1: expected player,.*, received 'a,b'"),
        (HEAD.replace(",", ";"), "line 1: expected player,.*, received 'player;protocol"),
        (HEAD + GOOD + "Ada,pair,net\n", "line 3: expected 10 values, received 3"),
        (HEAD + GOOD[:-9], "line 2: expected 10 values, received 8"),
        (HEAD + GOOD.replace("Ada", "=Ada()"), r"line 2: expected player to be a name, received '=Ada\(\)'"),
        (HEAD + GOOD.replace("pair", "pairs"), "expected protocol to be pair or single, received 'pairs'"),
        (HEAD + GOOD.replace("photo 1", ""), "expected photo to be a name, received ''"),
        (HEAD + GOOD.replace("net", '"a\nb"'), "line 3: expected method to be a name"),
        (HEAD + GOOD.replace("net", "truth"), "expected method to be truth if the photo shown is real"),
        (
            HEAD + GOOD.replace("photo 1,1", "photo 1,0"),
            "expected trial to be a whole number from 1, received '0'",
        ),
        (
            HEAD + GOOD.replace("812", "1e3"),
            "expected milliseconds to be a whole number from 0, received '1e3'",
        ),
        (
            HEAD + GOOD.replace("812", "-1"),
            "expected milliseconds to be a whole number from 0, received '-1'",
        ),
        (HEAD + GOOD.replace("1,no", "1,No"), "expected practice to be yes or no, received 'No'"),
        (HEAD + GOOD.replace(",first", ",real"), "expected shown to be first or second, received 'real'"),
        (HEAD + GOOD.replace("second", "third"), "expected answer to be first or second, received 'third'"),
        (HEAD + GOOD.replace("no,812", "yes,812"), "expected correct to be yes if answer and shown agree"),
        (HEAD + GOOD.replace("no,812", "0,812"), "expected correct to be yes or no, received '0'"),
        (HEAD + GOOD.replace("net", '"net'), r"expected a file of answers \(CSV in UTF-8\)"),
        (HEAD.encode() + b"\xff", r"expected a file of answers \(CSV in UTF-8\)"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, words):
    path = tmp_path / "bad.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StudyError, match=f"bad.csv.*{words}") as caught:
        study.read(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(StudyError):
        answers.append(path, one(trial=9))
    assert path.read_bytes() == (text if isinstance(text, bytes) else text.encode())


def test_a_class_is_put_together(tmp_path):
    for player in ("Ada", "Bo"):
        for trial in (1, 2):
            answers.append(answers.file_of(tmp_path, player, "pair"), one(player=player, trial=trial))
    (tmp_path / "notes.txt").write_text("not one of ours")
    everything = study.merge(tmp_path)
    assert len(everything) == 4
    paths = sorted(tmp_path.glob("*.csv"))
    (tmp_path / "copy of ada.csv").write_bytes(paths[0].read_bytes())
    assert set(study.merge(tmp_path)) == set(everything) and len(study.merge(tmp_path)) == 4
    assert study.merge(iter(paths)) == everything
    single = one(protocol="single", shown="recolored", answer="real")  # another trial 1 of the same person
    answers.append(answers.file_of(tmp_path, "Ada", "single"), single)
    assert sorted(map(str, study.merge(tmp_path))) == sorted(map(str, [*everything, single]))
    assert study.merge(tmp_path / "nothing there") == []
    with pytest.raises(StudyError, match=r"missing\.csv.*No such file"):
        study.merge(tmp_path / "missing.csv")
    answers.append(tmp_path / "z.csv", one(trial=2, answer="first"))
    with pytest.raises(
        StudyError,
        match=r"z\.csv, line 2: Ada answers trial 2 of pair, and otherwise in .*, line 3: if two people",
    ):
        study.merge(tmp_path)


def test_no_trial_is_answered_twice(tmp_path):
    path = tmp_path / "a.csv"
    answers.append(path, one())
    with pytest.raises(StudyError, match=r"a\.csv: Ada has answered trial 1 of pair before"):
        answers.append(path, one(answer="first"))
    assert study.read(path) == [one()]


def test_a_write_that_fails_leaves_the_older_answers(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    answers.append(path, one())

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        answers.append(path, one(trial=2))
    assert study.read(path) == [one()] and os.listdir(tmp_path) == ["a.csv"]


def test_a_killed_kernel_leaves_a_whole_file(tmp_path):
    """A process that answers without end is killed, with no time to tidy up."""
    path = tmp_path / "a.csv"
    code = "import itertools, sys; from colorize.answers import Answer, append\n"
    code += "for n in itertools.count(1):\n"
    code += "    append(sys.argv[1], Answer('Ada', 'pair', 'net', 'photo', n, False, 'first', 'second', n))"
    process = subprocess.Popen([sys.executable, "-c", code, path])
    try:
        while not path.exists() or path.read_bytes().count(b"\n") < 20:
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = study.read(path)
    assert [answer.trial for answer in found] == list(range(1, len(found) + 1)) and len(found) >= 19


def test_names_of_people():
    assert answers.check_player("  Zoë O'Hara-9 ") == "Zoë O'Hara-9"
    for bad in ("", " ", "=1+1", "-x", "a" * 41, "a\nb", "a,b", "../x"):
        with pytest.raises(StudyError, match="name: expected 1 to 40 letters"):
            answers.check_player(bad)


def test_file_names_are_plain_and_differ(tmp_path):
    names = ["Zoë", "Zo", "zo", "Łukasz", "李", "a" * 40, "con"]
    found = [answers.file_of(tmp_path, name, "pair") for name in names]
    assert len({path.name.lower() for path in found}) == len(names)
    assert all(path.parent == tmp_path and path.name.isascii() for path in found)
    assert answers.file_of(tmp_path, "Zo", "single") not in found


# Photos to play with


def test_bundled_squares_do_not_overlap():
    names, squares = study.bundled_squares(256)
    assert squares.shape == (12, 3, 256, 256) and len(set(names)) == 12
    astronaut = images.bundled("astronaut")  # 512 x 512: its quarters, as they are
    for i, (top, left) in enumerate(itertools.product((0, 256), repeat=2)):
        assert names[i] == f"astronaut {i + 1}"
        torch.testing.assert_close(
            squares[i], astronaut[:, top : top + 256, left : left + 256], atol=1e-5, rtol=0
        )
    coffee = images.bundled("coffee")  # 400 x 600: two of 300 x 300, from the middle
    for number, left in ((1, 0), (2, 300)):
        expected = images.resize(coffee[:, 50:350, left : left + 300], 256)
        torch.testing.assert_close(squares[names.index(f"coffee {number}")], expected)
    names, squares = study.bundled_squares(32, across=3)
    assert squares.shape == (33, 3, 32, 32) and squares.min() >= 0 and squares.max() <= 1
    assert len(study.bundled_squares(32, across=1)[0]) == 5
    with pytest.raises(ValueError, match="across: expected 1 or more, received 0"):
        study.bundled_squares(across=0)


def test_the_study_needs_no_notebook():
    code = "import sys, colorize.study; assert not {'matplotlib', 'IPython', 'ipywidgets'} & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
