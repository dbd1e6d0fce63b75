"""The factory, with the models of the tests of the margin model."""

from __future__ import annotations

from tests.unit.margin_model.conftest import _deployed, desk

__all__ = ["_deployed", "desk"]
