# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title DevnetFeed
@license AGPL-3.0-only
@author Prime Perps
@notice A push feed for local and test networks, with the ways real ones fail: it freezes (fresh times, old answer),
        goes stale, answers zero, below zero or absurdly, steps back in time, reverts, or burns all gas it is given.
        Times in unix seconds, answers in 10^-decimals USD.
"""
from contracts.interfaces import IAggregatorV3

implements: IAggregatorV3


flag Fault:
    REVERTS
    BURNS_GAS


struct Round:
    answer: int256
    started_at: uint256
    updated_at: uint256


event AnswerUpdated:
    current: indexed(int256)
    roundId: indexed(uint256)
    updatedAt: uint256


VERSION: constant(uint256) = 4

decimals: public(immutable(uint8))
_PUBLISHER: immutable(address)

description: public(String[64])
frozen: public(bool)
fault: public(Fault)
latest_round: public(uint80)
_rounds: HashMap[uint80, Round]


@deploy
def __init__(decimals_: uint8, description_: String[64]):
    """
    @dev The deployer is the publisher. There is no round until the first `publish`.
    """
    decimals = decimals_
    _PUBLISHER = msg.sender
    self.description = description_


# the feed as consumers see it


@view
@external
def version() -> uint256:
    return VERSION


@view
@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @dev Reverts: "feed: no data present", "feed: down".
    """
    self._fail_on_purpose()
    return self._round_data(self.latest_round)


@view
@external
def getRoundData(_roundId: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """
    @dev Reverts: "feed: no data present", "feed: down".
    """
    self._fail_on_purpose()
    return self._round_data(_roundId)


# the publisher's side


@external
def publish(answer: int256):
    """
    @notice A round as of now. A frozen feed repeats its last answer under a fresh time.
    @dev Reverts: "feed: publisher only".
    """
    self._check_publisher()
    answer_now: int256 = answer
    if self.frozen:
        answer_now = self._rounds[self.latest_round].answer
    self._add_round(answer_now, block.timestamp)


@external
def publish_at(answer: int256, updated_at: uint256):
    """
    @notice A round as of any time: stale, before the last one, or in the future.
    @dev Reverts: "feed: publisher only".
    """
    self._check_publisher()
    self._add_round(answer, updated_at)


@external
def set_frozen(frozen: bool):
    """
    @dev Reverts: "feed: publisher only".
    """
    self._check_publisher()
    self.frozen = frozen


@external
def set_fault(fault: Fault):
    """
    @notice How reading rounds fails: 0 not at all, 1 reverts, 2 burns all gas.
    @dev Reverts: "feed: publisher only".
    """
    self._check_publisher()
    self.fault = fault


# internal


@internal
@view
def _check_publisher():
    assert msg.sender == _PUBLISHER, "feed: publisher only"


@internal
@view
def _fail_on_purpose():
    assert self.fault != Fault.REVERTS, "feed: down"
    if self.fault == Fault.BURNS_GAS:
        # An invalid opcode takes all the gas, as a loop without end would.
        raise UNREACHABLE


@internal
@view
def _round_data(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    data: Round = self._rounds[round_id]
    assert data.updated_at != 0, "feed: no data present"
    return round_id, data.answer, data.started_at, data.updated_at, round_id


@internal
def _add_round(answer: int256, updated_at: uint256):
    self.latest_round += 1
    self._rounds[self.latest_round] = Round(answer=answer, started_at=updated_at, updated_at=updated_at)
    log AnswerUpdated(current=answer, roundId=convert(self.latest_round, uint256), updatedAt=updated_at)
