# pragma version 0.4.3
"""
@title feed_word
@license AGPL-3.0-only
@author Prime Perps
@notice The source of an underlying in one storage word, so that a report or a pull reads one slot for it.

        Packed from the low bit up: aggregator 160, source 8, decimals 8, session 8, confidence 16, heartbeat 24,
        updated_at 32: the aggregator's own time of the last answer taken.
"""
from contracts.interfaces import IOracleAdapter


UNLISTED: constant(uint256) = 0
REPORTS: constant(uint256) = 1
AGGREGATOR: constant(uint256) = 2

HEARTBEAT_MAX: constant(uint256) = 2**24 - 1

SOURCE_AT: constant(uint256) = 160
DECIMALS_AT: constant(uint256) = 168
SESSION_AT: constant(uint256) = 176
CONFIDENCE_AT: constant(uint256) = 184
HEARTBEAT_AT: constant(uint256) = 200
UPDATED_AT: constant(uint256) = 224

ADDRESS_MASK: constant(uint256) = 2**160 - 1
MASK_8: constant(uint256) = 2**8 - 1
MASK_16: constant(uint256) = 2**16 - 1


@internal
@pure
def _pack(feed: IOracleAdapter.Feed) -> uint256:
    """
    @dev Fields must be in range; see `aggregator._check_feed`. No answer has been taken yet.
    """
    return (
        convert(feed.aggregator, uint256)
        | (feed.source << SOURCE_AT)
        | (feed.decimals << DECIMALS_AT)
        | (feed.session << SESSION_AT)
        | (feed.confidence << CONFIDENCE_AT)
        | (feed.heartbeat << HEARTBEAT_AT)
    )


@internal
@pure
def _unpack(packed: uint256) -> IOracleAdapter.Feed:
    return IOracleAdapter.Feed(
        source=self._source(packed),
        aggregator=convert(packed & ADDRESS_MASK, address),
        decimals=(packed >> DECIMALS_AT) & MASK_8,
        heartbeat=(packed >> HEARTBEAT_AT) & HEARTBEAT_MAX,
        confidence=(packed >> CONFIDENCE_AT) & MASK_16,
        session=(packed >> SESSION_AT) & MASK_8,
    )


@internal
@pure
def _source(packed: uint256) -> uint256:
    return (packed >> SOURCE_AT) & MASK_8


@internal
@pure
def _updated_at(packed: uint256) -> uint256:
    return packed >> UPDATED_AT


@internal
@pure
def _with_updated_at(packed: uint256, updated_at: uint256) -> uint256:
    """
    @dev `updated_at` must fit 32 bits.
    """
    return (packed & (2**UPDATED_AT - 1)) | (updated_at << UPDATED_AT)
