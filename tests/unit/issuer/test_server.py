"""The watch over the book outlives a full disk, and is not healthy meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from prime_perps.errors import NodeError
from prime_perps.issuer import server
from prime_perps.issuer.server import Watch
from tests.unit.issuer.desk import Desk


def test_watch__state_cannot_be_written__goes_on_and_is_not_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    watch = Watch(desk.broker, desk.metrics)
    assert not watch.healthy()
    desk.store._execute("PRAGMA query_only = 1")
    watch.look()
    assert not watch.healthy()
    desk.store._execute("PRAGMA query_only = 0")
    watch.look()
    assert watch.healthy()
    monkeypatch.setattr(server, "STALE", 0)
    assert not watch.healthy()


def test_watch__node_gone__is_the_loops_to_wait_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.node_answers = False
    with pytest.raises(NodeError):
        Watch(desk.broker, desk.metrics).look()
