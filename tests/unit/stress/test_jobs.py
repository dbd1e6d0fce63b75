"""Several replays at once: everybody's outcome, or the first failure in one line."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from prime_perps.errors import PrimePerpsError
from prime_perps.stress.jobs import Task, run_all
from tests.unit.stress import works


def _tasks(folder: Path, *given) -> list[Task]:
    return [Task(str(number), work, folder / f"{number}.log") for number, work in enumerate(given)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_run_all__each_answers__outcomes_by_name_and_progress_told(tmp_path, jobs):
    told = []
    tasks = _tasks(tmp_path, *(partial(works.answers, name) for name in "abc"))
    assert run_all(tasks, jobs, lambda *progress: told.append(progress)) == {"0": "a", "1": "b", "2": "c"}
    assert sorted(told) == [(name, 1, "Monday") for name in "012"]


@pytest.mark.parametrize(
    ("work", "kind", "text"),
    [
        (works.refuses, PrimePerpsError, "0: risk: below initial"),
        (works.breaks, RuntimeError, "ZeroDivisionError"),
        (works.dies, PrimePerpsError, "the replay of 0 ended without a word"),
    ],
)
def test_run_all__one_fails__says_which_and_why(tmp_path, work, kind, text):
    with pytest.raises(kind, match=text):
        run_all(_tasks(tmp_path, work), 2, lambda *progress: None)
