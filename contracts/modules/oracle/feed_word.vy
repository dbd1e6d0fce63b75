# pragma version 0.4.3
"""
@title feed_word
@license AGPL-3.0-only
@author Prime Perps
@notice What every write of an underlying needs to know of its sources, in one storage word; what only a source needs is
        kept beside it.

        Packed from the low bit up: aggregator 160, source 8, decimals 8, session 8, confidence 16, heartbeat 24,
        alone 8, jump 16, issued 8.
"""
from contracts.interfaces import IOracleAdapter


REPORTS: constant(uint256) = 1
AGGREGATOR: constant(uint256) = 2
PYTH: constant(uint256) = 4
ALL: constant(uint256) = REPORTS | AGGREGATOR | PYTH

HEARTBEAT_MAX: constant(uint256) = 2**24 - 1

SOURCE_AT: constant(uint256) = 160
DECIMALS_AT: constant(uint256) = 168
SESSION_AT: constant(uint256) = 176
CONFIDENCE_AT: constant(uint256) = 184
HEARTBEAT_AT: constant(uint256) = 200
ALONE_AT: constant(uint256) = 224
JUMP_AT: constant(uint256) = 232
ISSUED_AT: constant(uint256) = 248

ADDRESS_MASK: constant(uint256) = 2**160 - 1
MASK_8: constant(uint256) = 2**8 - 1
MASK_16: constant(uint256) = 2**16 - 1


@internal
@pure
def _pack(feed: IOracleAdapter.Feed) -> uint256:
    """
    @dev Fields must be in range; see `sources._check_feed`.
    """
    return (
        convert(feed.aggregator, uint256)
        | (feed.source << SOURCE_AT)
        | (feed.decimals << DECIMALS_AT)
        | (feed.session << SESSION_AT)
        | (feed.confidence << CONFIDENCE_AT)
        | (feed.heartbeat << HEARTBEAT_AT)
        | (convert(feed.alone, uint256) << ALONE_AT)
        | (feed.jump << JUMP_AT)
        | (convert(feed.issuer != empty(address), uint256) << ISSUED_AT)
    )


@internal
@pure
def _unpack(packed: uint256) -> IOracleAdapter.Feed:
    """
    @return The feed but for what is kept beside the word.
    """
    return IOracleAdapter.Feed(
        source=(packed >> SOURCE_AT) & MASK_8,
        aggregator=convert(packed & ADDRESS_MASK, address),
        decimals=(packed >> DECIMALS_AT) & MASK_8,
        heartbeat=(packed >> HEARTBEAT_AT) & HEARTBEAT_MAX,
        confidence=(packed >> CONFIDENCE_AT) & MASK_16,
        session=(packed >> SESSION_AT) & MASK_8,
        pyth=empty(address),
        price_id=empty(bytes32),
        alone=self._alone(packed),
        jump=self._jump(packed),
        issuer=empty(address),
        token=empty(address),
    )


@internal
@pure
def _source(packed: uint256) -> uint256:
    return (packed >> SOURCE_AT) & MASK_8


@internal
@pure
def _session(packed: uint256) -> uint256:
    return (packed >> SESSION_AT) & MASK_8


@internal
@pure
def _alone(packed: uint256) -> bool:
    return (packed >> ALONE_AT) & 1 == 1


@internal
@pure
def _jump(packed: uint256) -> uint256:
    return (packed >> JUMP_AT) & MASK_16


@internal
@pure
def _issued(packed: uint256) -> bool:
    return packed >> ISSUED_AT == 1
