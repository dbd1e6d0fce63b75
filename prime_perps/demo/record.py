"""What happened, instant by instant, as the chain told it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from prime_perps.demo.cast import Actor
from prime_perps.demo.stage import Stage
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.keepers.publisher import Moment
from prime_perps.reports import Session


@dataclass(frozen=True)
class Sample:
    """The prices and every actor's margin at one instant."""

    time: int
    day: date
    session: Session
    prices: dict[str, Decimal]
    margins: dict[str, Any]  # IPerpClearinghouse.Margin by actor


@dataclass(frozen=True)
class SliceTaken:
    """One liquidation. Amounts in wad, `equity` and `maintenance` of the account before it."""

    time: int
    day: date
    session: Session
    actor: str
    fraction: int
    price: int
    payment: int
    reward: int
    equity: int
    maintenance: int


@dataclass
class Record:
    """Grows with the replay."""

    samples: list[Sample] = field(default_factory=list)
    slices: list[SliceTaken] = field(default_factory=list)
    _next_block: int = 0

    def sample(self, stage: Stage, actors: Sequence[Actor], moment: Moment) -> Sample:
        """Read every actor's margin now."""
        house = stage.deployment.clearinghouse
        calls = [(house.address, house.margin.encode(stage.account(actor))) for actor in actors]
        margins = {}
        for actor, answer in zip(actors, stage.backend.call_many(calls), strict=True):
            if isinstance(answer, Revert):
                raise PrimePerpsError(f"the margin of {actor.name} cannot be read: {answer.reason}")
            margins[actor.name] = house.margin.decode(answer)
        sample = Sample(moment.time, moment.tick.day, moment.session, moment.tick.prices, margins)
        self.samples.append(sample)
        return sample

    def new_slices(self, stage: Stage, actors: Sequence[Actor], moment: Moment) -> list[SliceTaken]:
        """The liquidations since the last call, out of the engine's own events."""
        head = stage.backend.block_number()
        engine = stage.deployment.engine
        names = {stage.account(actor): actor.name for actor in actors}
        found = []
        for log in stage.backend.get_logs(self._next_block, head, [engine.address]):
            decoded = engine.decode_log(log)
            if decoded is not None and decoded[0] == "Slice":
                fields = decoded[1]
                found.append(
                    SliceTaken(
                        time=moment.time,
                        day=moment.tick.day,
                        session=moment.session,
                        actor=names.get(fields["account"], str(fields["account"])),
                        fraction=fields["fraction"],
                        price=fields["price"],
                        payment=fields["payment"],
                        reward=fields["reward"],
                        equity=fields["equity"],
                        maintenance=fields["maintenance"],
                    )
                )
        self._next_block = head + 1
        self.slices += found
        return found
