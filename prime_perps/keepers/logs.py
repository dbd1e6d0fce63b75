"""One line per decision: key=value on a terminal, JSON everywhere else."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog


def configure(json: bool | None = None, file: TextIO | None = None) -> None:
    """Send structlog to `file`, standard error if not given. `json` None decides by whether that is a terminal."""
    output = file or sys.stderr
    as_json = not output.isatty() if json is None else json
    renderer: structlog.types.Processor = structlog.processors.JSONRenderer()
    if not as_json:
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=output),
        cache_logger_on_first_use=False,
    )
