"""Grading: verdicts that no notebook can forge, and notebooks that cannot stop it."""

import csv
import io
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import nbformat
import pytest
import torch
from lessons import ANSWERS, SOURCES, mistake, stored, with_answers

from colorize import cli, examine, grade, sandbox
from colorize.check import exercises
from colorize.check.judge import TimeUp
from colorize.examine import VERDICTS, Died, Limits, Row, lesson_of, read

CLOSE = examine.Process.close

RIGHT = "return (a**2 + b**2).sqrt()"
IMPORTS = "import torch\nfrom colorize.check import check"
EXERCISE = '@check("0.1")\ndef chroma(a, b):\n    {}'


def solved(line=RIGHT):
    return [IMPORTS, EXERCISE.format(line)]


# Name: cells, the verdict on exercise 0.1, and a part of its message.
QUICK = {
    "forged": (
        # all in one: a badge, the words, a check of its own, verdicts in every module, and an answer that changes nothing
        [
            IMPORTS,
            "import colorize.check, colorize.check.judge as j\nj.judge = lambda *a, **k: j.Verdict('0.1', 'x', 'right')",
            "from colorize.check.badge import Badge, show\nshow(Badge(j.Verdict('0.1', 'Chroma', 'right')))",
            'print("right", "0.1,right,1")',
            EXERCISE.format('print("right"); return torch.zeros_like(a)'),
        ],
        "not yet",
        "",
    ),
    "exits": (
        [*solved("import os; os._exit(0)"), "import os\nos._exit(0)"],
        "crashed",
        "the process ended while the function ran",
    ),
    "loops": ([IMPORTS, "while True: pass", EXERCISE.format(RIGHT)], "right", ""),
    "loops_inside": (solved("while True:\n        pass"), "time", "stopped after"),
}
HOSTILE = {
    "right": (solved(), "right", ""),
    "gone": (["x = 1", "# @check('0.2')"], "missing", 'no function under @check("0.1")'),
    "empty": ([], "missing", ""),
    "open": (solved("raise NotImplementedError"), "open", ""),
    "wrong": (solved("return a + b"), "not yet", ""),
    "none": (solved("pass"), "not yet", "returns None"),
    "raises": (solved("raise ValueError('no')"), "not yet", "crashed with ValueError"),
    "says_right": (solved("return 'right'"), "not yet", "'right' (str)"),
    "lambda_says_right": (
        [IMPORTS, 'chroma = check("0.1")(lambda a, b: print("right"))'],
        "not yet",
        "returns None",
    ),
    "always_equal": (
        [
            IMPORTS,
            "class Same(torch.Tensor):\n    def __eq__(self, other): return True\n    def __sub__(self, other): return 0 * other",
            EXERCISE.format("return torch.zeros_like(a).as_subclass(Same)"),
        ],
        "not yet",
        "",
    ),
    "by_heart": (
        # the answers of the lesson's own cases, looked up: on new inputs there are none
        [
            IMPORTS,
            "from colorize.check.lesson_00 import EXERCISES\nknown = [(c.args, EXERCISES[0].reference(*c.args)) for c in EXERCISES[0].cases()]",
            EXERCISE.format(
                "return next((r for (x, y), r in known if x.shape == a.shape and torch.equal(x, a)), torch.zeros_like(a))"
            ),
        ],
        "not yet",
        "",
    ),
    "own_check": (
        [
            "def check(n):\n    print('right')\n    return lambda f: f",
            '@check("0.1")\ndef chroma(a, b):\n    return a',
        ],
        "not yet",
        "",
    ),
    "own_check_and_right": (
        ["def check(n): return lambda f: f", '@check("0.1")\ndef chroma(a, b):\n    return a.hypot(b)'],
        "right",
        "",
    ),
    "changes_input": (solved("a *= a; b *= b; return (a + b).sqrt()"), "not yet", "changes its input"),
    "patches_torch": (
        [
            IMPORTS,
            "torch.equal = torch.allclose = lambda *a, **k: True\ntorch.Tensor.all = lambda *a: torch.tensor(True)",
            *solved("return a"),
        ],
        "not yet",
        "",
    ),
    "syntax": ([IMPORTS, '@check("0.1")\ndef chroma(a, b)\n    return a'], "crashed", "SyntaxError"),
    "name_error": ([IMPORTS, 'oops\n@check("0.1")\ndef chroma(a, b):\n    return a'], "crashed", "NameError"),
    "exits_in_its_cell": (
        [IMPORTS, "import os\n" + EXERCISE.format(RIGHT) + "\nos._exit(3)"],
        "crashed",
        "its cell ended the process",
    ),
    "loops_in_its_cell": (
        [IMPORTS, EXERCISE.format(RIGHT) + "\nwhile True: pass"],
        "time",
        "its cell took more than 4 s",
    ),
    "loops_and_catches": (
        [
            IMPORTS,
            "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
            *solved(),
        ],
        "right",
        "",
    ),
    "sleeps_in_every_cell": (
        [IMPORTS, *["import time\ntime.sleep(3)"] * 9, *solved()],
        "time",
        "the notebook took more than 20 s",
    ),
    "gigabytes_of_output": (
        [
            IMPORTS,
            "import os\nfor _ in range(3000): os.write(1, b'x' * 2**20)\nprint('right' * 10**7)",
            *solved(),
        ],
        "right",
        "",
    ),
    "gigabytes_of_memory": ([IMPORTS, "x = [torch.ones(2**28) for _ in range(90)]", *solved()], "right", ""),
    "memory_inside": (solved("return torch.ones(2**34)"), "not yet", "crashed with RuntimeError"),
    "returns_a_gigabyte": (solved("return torch.zeros(1).expand(2**30)"), None, ""),
    "writes_garbage": (
        # to every file that is open, so also to the one on which the answers travel
        [
            IMPORTS,
            EXERCISE.format(
                "import os\n    for n in range(3, 30):\n        try: os.write(n, b'right' * 9)\n        except OSError: pass\n    return a"
            ),
        ],
        "crashed",
        "",
    ),
    "closes_everything": (solved("import os; os.closerange(0, 99); return a"), "crashed", ""),
    "forks": (
        solved(
            "import os\n    if os.fork() == 0:\n        while True: pass\n    return (a**2 + b**2).sqrt()"
        ),
        "right",
        "",
    ),
    "exits_softly": (solved("import sys; sys.exit(0)"), "not yet", "SystemExit"),
    "recursion": (solved("return chroma(a, b)"), None, ""),
    "rude_repr": (
        [
            IMPORTS,
            "class Rude:\n    def __repr__(self): raise RuntimeError",
            EXERCISE.format("return Rude()"),
        ],
        "not yet",
        "",
    ),
    "deep": (solved("x = []\n    for _ in range(10**5): x = [x]\n    return x"), None, ""),
    "replaces_the_library": (
        # on disk, for those who come after: forbidden where the system allows
        [
            IMPORTS,
            "import colorize.check.lesson_00 as l, pathlib\np = pathlib.Path(l.__file__)\np.write_text(p.read_text() + '# changed')",
            *solved("return a"),
        ],
        "not yet",
        "",
    ),
    "talks_to_the_net": (
        [
            IMPORTS,
            "import socket\nsocket.create_connection(('127.0.0.1', PORT), 2).send(b'right')",
            *solved(),
        ],
        "right",
        "",
    ),
}


def write(folder, name, cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbformat.write(notebook, folder / f"{name}.ipynb")


def scores(path):
    return {
        (row["student"], row["exercise"]): row
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    }


def graded(tmp_path, cases, capsys):
    folder = tmp_path / "class"
    folder.mkdir()
    for name, (cells, _, _) in cases.items():
        write(folder, name, cells)
    out = tmp_path / "scores.csv"
    limits = ["--cell", "4", "--notebook", "20", "--jobs", "2", "--lesson", "0"]
    assert cli.main(["grade", str(folder), "-o", str(out), *limits]) == 0
    found = scores(out)
    assert set(found) == {(name, "0.1") for name in cases}
    for name, (_, verdict, message) in cases.items():
        row = found[name, "0.1"]
        assert row["verdict"] == verdict or verdict is None, (name, row)
        assert message in row["message"], (name, row)
        assert row["verdict"] in VERDICTS and row["points"] == str(int(row["verdict"] == "right"))
    return capsys.readouterr().out


def test_verdicts_that_cannot_be_forged_and_notebooks_that_cannot_stop_the_grading(tmp_path, capsys):
    said = graded(tmp_path, QUICK, capsys)
    assert [line.split() for line in said.splitlines() if line.startswith("loops")] == [
        ["loops", "+", "1"],
        ["loops_inside", "T", "0"],
    ]
    if sys.platform == "linux":
        assert "Each notebook ran without network" in said or "NOT limited" in said


@pytest.mark.long
def test_a_gradient_cannot_be_forged(tmp_path):
    """3.1 is trained with: the value alone is not enough, and neither is a gradient of something else."""
    line = '@check("3.1")\ndef l2_loss(pred_ab, true_ab):\n    {}'
    right = "return 0.5 * (pred_ab - true_ab).square().sum(dim=1).mean()"
    other = right.replace("pred_ab", "pred_ab.detach()") + " + 0 * pred_ab.sum()"
    for name, answer in (("ada", right), ("bob", right + ".detach()"), ("cyd", other)):
        write(tmp_path, name, [IMPORTS, line.format(answer)])
    rows, _ = grade.grade(grade.notebooks(tmp_path), Limits(), jobs=2)
    found = {row.student: row.verdict for row in rows if row.exercise == "3.1"}
    assert found == {"ada": "right", "bob": "not yet", "cyd": "not yet"}


@pytest.mark.long
def test_thirty_hostile_notebooks(tmp_path, capsys):
    reference = Path(grade.__file__).parent / "check" / "lesson_00.py"
    before = reference.read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = str(server.getsockname()[1])
        cases = {
            name: ([cell.replace("PORT", port) for cell in cells], *rest)
            for name, (cells, *rest) in HOSTILE.items()
        }
        try:
            said = graded(tmp_path, cases, capsys)
            if "Each notebook ran without network" in said:
                assert reference.read_bytes() == before
                with pytest.raises(TimeoutError):
                    server.accept()
        finally:
            reference.write_bytes(before)


@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_lesson_open_half_solved_and_solved(source, tmp_path):
    lesson = int(source.name[:2])
    nbformat.write(with_answers(source, {}), tmp_path / "ada.ipynb")
    nbformat.write(stored(source), tmp_path / "cyd.ipynb")
    answers = getattr(ANSWERS[lesson], "HALF", {})
    answers = {
        n: answer if isinstance(answer, str) else mistake(source, n, answer) for n, answer in answers.items()
    }
    nbformat.write(with_answers(source, answers), tmp_path / "bob.ipynb")
    rows, _ = grade.grade(grade.notebooks(tmp_path), Limits(), jobs=2)
    found = {(row.student, row.exercise): row.verdict for row in rows}
    numbers = [number for student, number in found if student == "ada"]
    assert {found["ada", number] for number in numbers} == {"open"}
    assert {found["cyd", number] for number in numbers} == {"right"}
    for number in numbers:
        wanted = (
            {"open"} if number not in answers else {"right"} if number == numbers[0] else {"not yet", "time"}
        )
        assert found["bob", number] in wanted


def test_mistakes_in_the_command(tmp_path, capsys):
    write(tmp_path, "ada", solved())
    (tmp_path / "none").mkdir()
    (tmp_path / "there.csv").write_text("")
    for arguments, sentence in (
        (["nowhere", "-o", "x.csv"], "there is no folder nowhere"),
        ([str(tmp_path / "none"), "-o", "x.csv"], "holds no notebook"),
        ([str(tmp_path), "-o", str(tmp_path / "there.csv")], "is there already (--overwrite replaces)"),
        ([str(tmp_path), "-o", "x.txt"], "expected a name that ends in .csv"),
        ([str(tmp_path), "-o", "x.csv", "--lesson", "77"], "there are no exercises for lesson 77"),
        (
            [str(tmp_path), "-o", "x.csv", "--cell", "0"],
            "argument --cell: expected a number above 0, received 0",
        ),
    ):
        with pytest.raises(SystemExit):
            cli.main(["grade", *arguments])
        said = capsys.readouterr().err
        assert sentence in said and len(said.splitlines()) == 2  # the other names --help


def test_files_that_are_no_notebooks_get_their_rows(tmp_path):
    (tmp_path / "broken.ipynb").write_bytes(b"\xff{")
    (tmp_path / "list.ipynb").write_text("[]")
    write(tmp_path, "other", ["print(1)"])
    rows, held = grade.grade(grade.notebooks(tmp_path), Limits())
    assert [(row.student, row.exercise, row.verdict) for row in rows] == [
        ("broken", "-", "missing"),
        ("list", "-", "missing"),
        ("other", "-", "missing"),
    ]
    assert "no notebook that can be read" in rows[0].message
    assert held == {}
    with pytest.raises(ValueError, match="no notebook that can be read"):
        read(tmp_path / "list.ipynb")


def test_the_lesson_is_that_of_most_exercises():
    assert lesson_of(["@check('2.1')\nx", '@check( "2.2" )', "@check('7.1')"]) == 2
    assert lesson_of(["x = 1"]) is None


def test_the_table_is_csv_that_no_spreadsheet_runs():
    rows = [
        Row("=cmd()", "2.1", "not yet", 0, 1.5, '-1, "two"\nlines'),
        Row("ada", "2.1", "right", 1, 0.1, ""),
    ]
    found = list(csv.reader(io.StringIO(grade.table(rows))))
    assert found[0] == ["student", "exercise", "verdict", "points", "seconds", "message"]
    assert found[1] == ["'=cmd()", "2.1", "not yet", "0", "1.5", '\'-1, "two" lines']
    assert found[2] == ["ada", "2.1", "right", "1", "0.1", ""]


@pytest.mark.skipif(sys.platform != "linux", reason="memory, network and writing are limited on Linux")
def test_the_limits_hold(tmp_path):
    """In a process of its own, which they bind for good. Where the system lacks one, confine() says so."""
    code = """if True:
        import pathlib, socket, sys
        from colorize.sandbox import confine
        held = confine(pathlib.Path(sys.argv[1]), 2**30)
        pathlib.Path(sys.argv[1], "mine").write_text("x")
        open("/dev/null", "w").write("x")
        def allowed(do):
            try:
                do()
                return True
            except (OSError, MemoryError):
                return False
        assert allowed(lambda: open(sys.argv[2], "a")) != held["writing"]
        assert allowed(lambda: bytearray(2**31)) != held["memory"]
        assert allowed(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[3])), 2)) != held["network"]
        print(held)
    """
    mine = tmp_path / "mine"
    mine.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = [str(mine), str(tmp_path / "other"), str(server.getsockname()[1])]
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "other").exists() or "'writing': False" in done.stdout


# --- the student's process, without its limits and its pipe ---------------------------------------

PUPIL = """if True:
    import torch
    from colorize.pupil import Notebook

    notebook = Notebook()
    assert notebook.run("x = 1 +") ["error"].startswith("SyntaxError")
    assert notebook.run("import colorize.check\\nfrom colorize.check import check\\nimport torch")["error"] == ""
    assert notebook.run("raise KeyError('a')")["error"] == "KeyError: 'a'"
    assert notebook.about("3.1", "l2_loss") == {"there": False}
    colors = torch.rand(2, 2, 3, 3), torch.rand(2, 2, 3, 3)

    def answer(body, head="@check('3.1')"):
        error = notebook.run(f"{head}\\ndef l2_loss(pred_ab, true_ab):\\n    {body}")["error"]
        assert not error, error
        return notebook.call("3.1", colors)

    right = "return ((pred_ab - true_ab) ** 2).sum(dim=1).mean() / 2"
    found = answer(right)
    assert torch.equal(found["result"], ((colors[0] - colors[1]) ** 2).sum(dim=1).mean() / 2)
    assert notebook.about("3.1", "l2_loss")["there"]
    gradient = notebook.gradient("3.1", colors, 0)["result"]
    torch.testing.assert_close(gradient, (colors[0] - colors[1]) / 18)
    assert not colors[0].requires_grad
    # What follows in the notebook gets the course's own function, whatever the student's is.
    assert answer("raise NotImplementedError") == {"open": True}
    expected = found["result"].item()
    notebook.run("kept = l2_loss")
    assert abs(notebook.shell.user_ns["kept"](*colors).item() - expected) < 1e-6
    assert "NotImplementedError" in answer("return torch.utils.data.Dataset()[0]")["told"]
    assert "not_there" in answer("return not_there")["told"]
    assert "told" in answer("raise SystemExit(3)")
    assert notebook.gradient("3.1", colors, 0) == {"result": None}
    assert "chang" in answer("pred_ab += 1; return pred_ab.mean()")["told"]
    assert notebook.check_module.check.scorecard() is None
    # A decorator that was lost is no reason to lose the answer.
    lost = Notebook()
    lost.run("import torch\\ndef l2_loss(pred_ab, true_ab):\\n    return pred_ab.mean()")
    assert lost.about("3.1", "l2_loss")["there"]
    print("all of it")
"""


def test_a_notebook_in_the_students_process(tmp_path):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "IPYTHONDIR": str(tmp_path), "MPLBACKEND": "Agg"}
    command = [sys.executable, "-W", "error", "-c", PUPIL]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("all of it\n")


class Kernel:
    """A stand-in for libc: remembers the system calls and answers as told, then with 0."""

    def __init__(self, *answers, prctl=0):
        self.calls, self.answers, self.refuses = [], list(answers), prctl

    def syscall(self, *arguments):
        self.calls.append(arguments)
        answer = self.answers.pop(0) if self.answers else 0
        return os.dup(0) if answer == "a file" else answer

    def prctl(self, *_):
        return self.refuses


@pytest.mark.parametrize(
    ("answers", "options", "holds"),
    [
        ([-1], {}, False),  # a system without Landlock
        ([0], {}, False),
        ([3, -1], {}, False),
        ([3, "a file", -1], {}, False),
        ([3, "a file", 0, -1], {}, False),
        ([3, "a file", 0, 0], {"prctl": -1}, False),
        ([3, "a file", 0, 0, -1], {}, False),
        ([3, "a file", 0, 0, 0], {}, True),
        ([1, "a file"], {}, True),
    ],
)
def test_writing_is_limited_or_it_is_said(tmp_path, answers, options, holds):
    kernel, before = Kernel(*answers, **options), len(os.listdir("/proc/self/fd"))
    assert sandbox._write_only_to(tmp_path, kernel) is holds
    assert len(os.listdir("/proc/self/fd")) == before
    if len(kernel.calls) > 1:  # later versions know more rights; an older one refuses what it does not know
        rights = int.from_bytes(kernel.calls[1][1], sys.byteorder)
        assert bool(rights & sandbox.TRUNCATE) == bool(rights & sandbox.REFER) == (answers[0] == 3)


def test_limits_where_the_system_knows_none(tmp_path, monkeypatch):
    import resource

    def refused(*_):
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refused)
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    assert sandbox.confine(tmp_path, 2**30) == {"memory": False, "network": False, "writing": False}
    monkeypatch.setitem(sys.modules, "resource", None)
    assert sandbox.confine(tmp_path, 2**30)["memory"] is False


# --- verdicts, with a process that behaves as it is told ------------------------------------------


class Scripted:
    """A stand-in for the student's process: solves lesson 0 as the course does, but for what ``plan`` says of a request."""

    held: ClassVar = {"memory": True}
    plan: ClassVar[dict] = {}

    def __init__(self, _limits):
        self.closed = False

    def ask(self, _seconds, do, *request):
        if do == "run":
            found = self.plan.get("run", {"error": ""}) if "@check" in request[0] else {"error": ""}
        elif do == "about":
            found = self.plan.get("about", {"there": True, "lost": ""})
        else:
            found = self.plan.get("call") or {"result": exercises(0)[request[0]].reference(*request[1])}
        if isinstance(found, type):
            raise found
        return found

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    ("plan", "verdict", "words"),
    [
        ({}, "right", ""),
        ({"about": {"there": True, "lost": "T has lost its value."}}, "not yet", "T has lost its value."),
        ({"call": {"open": True}}, "open", ""),
        ({"call": {"told": "crashed with NameError"}}, "not yet", "crashed with NameError"),
        ({"call": TimeUp}, "time", "stopped after 10 s while the function ran"),
        ({"call": Died}, "crashed", "the process ended while the function ran"),
        ({"about": Died}, "crashed", "the process ended while this exercise was tried"),
        ({"run": TimeUp, "about": {"there": False}}, "time", "its cell took more than 30 s"),
        ({"run": Died, "about": {"there": False}}, "crashed", "its cell ended the process"),
        (
            {"run": {"error": "KeyError: 1"}, "about": {"there": False}},
            "crashed",
            "its cell stops with KeyError: 1",
        ),
        ({"about": {"there": False}}, "missing", "there is no function under @check"),
    ],
)
def test_what_a_process_does_and_its_verdict(tmp_path, monkeypatch, plan, verdict, words):
    monkeypatch.setattr(examine, "Process", Scripted)
    monkeypatch.setattr(Scripted, "plan", plan)
    cells = [
        "import torch",
        *([] if verdict == "missing" else [f'@check("{one}")\ndef f(): ...' for one in exercises(0)]),
    ]
    rows, held = examine.examine(tmp_path / "ada.ipynb", cells, 0, Limits())
    assert [row.exercise for row in rows] == list(exercises(0))
    for row in rows:
        assert (row.student, row.verdict, row.points) == ("ada", verdict, int(verdict == "right"))
        assert words in row.message
    assert held == Scripted.held


def test_a_notebook_that_takes_all_of_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(examine, "Process", Scripted)
    monkeypatch.setattr(Scripted, "plan", {"run": TimeUp})
    rows, _ = examine.examine(tmp_path / "ada.ipynb", ['@check("0.1")'], 0, Limits(notebook=0))
    assert {row.verdict for row in rows} == {"time"}
    assert rows[0].message == "the notebook took more than 0 s"


@pytest.mark.parametrize("good", [True, False])
def test_a_gradient_counts_if_it_is_that_of_the_courses_own_answer(tmp_path, good):
    one = exercises(3)["3.1"]
    colors = [torch.rand(2, 2, 3, 3), torch.rand(2, 2, 3, 3)]
    theirs = (colors[0] - colors[1]) / 18
    given = examine.Examination(tmp_path, [], Limits())._checked_gradient(
        one, tuple(colors), 0, theirs if good else 2 * theirs
    )
    assert given.requires_grad is good
    shapeless = examine.Examination(tmp_path, [], Limits())._checked_gradient(
        one, tuple(colors), 0, "no tensor"
    )
    assert not shapeless.requires_grad


def test_a_process_that_does_not_begin_is_ended(monkeypatch):
    begun = []
    monkeypatch.setattr(examine, "START", 0.01)
    monkeypatch.setattr(examine.Process, "close", lambda self: begun.append(self) or CLOSE(self))
    with pytest.raises(TimeUp):
        examine.Process(Limits())
    assert begun[0].process.returncode is not None
    assert not Path(begun[0].folder.name).exists()
