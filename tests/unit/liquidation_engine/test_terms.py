"""terms: what the auctions go by, as deployed."""

from __future__ import annotations

from prime_perps.units import wad

from .conftest import Auctions


def test_terms__deployed__are_the_parameters(auctions: Auctions) -> None:
    terms = auctions.engine.terms()
    assert terms._asdict() == {
        "start_price": wad("0.98"),
        "knee_price": wad("0.80"),
        "first_phase": 600,
        "second_phase": 3_600,
        "target_health": wad("1.1"),
        "whole_below": wad(2_000),
        "smallest_slice": wad(500),
        "reward_phase": 1_800,
        "lapse": 300,
        "throttle_interest": 500,
        "throttle_depth": 1_000,
        "throttle_window": 60,
        "insurance_share": 0,
    }
