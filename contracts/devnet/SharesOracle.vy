# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title SharesOracle
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the issuer's oracle of multipliers, after Ondo's SyntheticSharesOracle: how many shares a token
        stands for. Names are the issuer's.
        - A dividend: the setter raises the multiplier with `submitUpdate`, by no more than a drift and no sooner than a
          cooldown after the last change.
        - A split: the administrator schedules it, quiet -> scheduled -> paused -> quiet. From its start `getSValue`
          says paused and still tells the old value, until the administrator ends the pause, which must have lasted the
          shortest pause, or aborts it, which discards the pending value. Adjusting a pause restarts its clock.
        The pause is a word and nothing else: transfers, mints and redemptions go on.
        SValueOracle is the simple one: it tells what is staged on a token, at once.
        Left out: removing an asset, batches.
"""
from contracts.interfaces import ISValueOracle
from snekmate.auth import ownable

implements: ISValueOracle

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


struct Asset:
    sValue: uint128  # wad, shares per token
    pendingSValue: uint128  # wad; zero while nothing is scheduled
    lastUpdate: uint256  # unix seconds
    pauseStartTime: uint256  # unix seconds; zero while nothing is scheduled
    allowedDriftBps: uint16
    driftCooldown: uint48  # seconds


event SetterSet:
    setter: indexed(address)


event AssetAdded:
    asset: indexed(address)
    initialSValue: uint256
    allowedDriftBps: uint256
    driftCooldown: uint256


event SValueUpdated:
    asset: indexed(address)
    oldSValue: uint256
    newSValue: uint256


event DriftParametersUpdated:
    asset: indexed(address)
    oldAllowedDriftBps: uint256
    newAllowedDriftBps: uint256
    oldDriftCooldown: uint256
    newDriftCooldown: uint256


event CorporateActionScheduled:
    asset: indexed(address)
    sValue: uint128
    pauseStartTime: uint256


event CorporateActionApplied:
    asset: indexed(address)
    oldSValue: uint128
    newSValue: uint128


event CorporateActionCancelled:
    asset: indexed(address)


BPS: constant(uint256) = 10_000
SHORTEST_PAUSE: constant(uint256) = 600

minimumPauseDuration: public(immutable(uint256))


setter: public(address)
assetData: public(HashMap[address, Asset])


@deploy
def __init__(setter_: address, minimum_pause: uint256):
    """
    @notice The deployer is the administrator. Reverts: "shares: pause too short" below 600 seconds.
    """
    ownable.__init__()
    assert minimum_pause >= SHORTEST_PAUSE, "shares: pause too short"
    minimumPauseDuration = minimum_pause
    self.setter = setter_


@view
@external
def getSValue(token: address) -> (uint128, bool):
    """
    @dev Reverts: "shares: no such asset".
    """
    self._check_known(token)
    return self.assetData[token].sValue, self._is_paused(token)


# the setter's


@external
def submitUpdate(asset: address, sValue: uint128):
    """
    @notice Setter only. Raise a multiplier a little, also while a pause is scheduled. Reverts: "shares: setter only",
            "shares: no such asset", "shares: paused", "shares: too soon", "shares: not raised",
            "shares: beyond drift".
    """
    assert msg.sender == self.setter, "shares: setter only"
    self._check_known(asset)
    self._check_not_paused(asset)
    known: Asset = self.assetData[asset]
    assert block.timestamp >= known.lastUpdate + convert(known.driftCooldown, uint256), "shares: too soon"
    assert sValue > known.sValue, "shares: not raised"
    before: uint256 = convert(known.sValue, uint256)
    drift: uint256 = before * convert(known.allowedDriftBps, uint256) // BPS
    assert convert(sValue, uint256) <= before + drift, "shares: beyond drift"
    self.assetData[asset].sValue = sValue
    self.assetData[asset].lastUpdate = block.timestamp
    log SValueUpdated(asset=asset, oldSValue=before, newSValue=convert(sValue, uint256))


# the administrator's


@external
def set_setter(setter: address):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.setter = setter
    log SetterSet(setter=setter)


@external
def addAsset(asset: address, initialSValue: uint128, allowedDriftBps: uint16, driftCooldown: uint48):
    """
    @notice Owner only. The first cooldown begins now. Reverts: "shares: known already", "shares: zero value",
            "shares: bad drift".
    @param initialSValue wad, shares per token.
    @param allowedDriftBps By which one update may raise it; 0 for not at all.
    @param driftCooldown Seconds between updates.
    """
    ownable._check_owner()
    assert self.assetData[asset].sValue == 0, "shares: known already"
    self._check_value(initialSValue)
    self._check_drift(allowedDriftBps, driftCooldown)
    self.assetData[asset] = Asset(
        sValue=initialSValue,
        pendingSValue=0,
        lastUpdate=block.timestamp,
        pauseStartTime=0,
        allowedDriftBps=allowedDriftBps,
        driftCooldown=driftCooldown,
    )
    log AssetAdded(
        asset=asset,
        initialSValue=convert(initialSValue, uint256),
        allowedDriftBps=convert(allowedDriftBps, uint256),
        driftCooldown=convert(driftCooldown, uint256),
    )


@external
def setDriftParameters(asset: address, allowedDriftBps: uint16, driftCooldown: uint48):
    """
    @notice Owner only. Reverts: "shares: no such asset", "shares: bad drift".
    """
    ownable._check_owner()
    self._check_known(asset)
    self._check_drift(allowedDriftBps, driftCooldown)
    known: Asset = self.assetData[asset]
    log DriftParametersUpdated(
        asset=asset,
        oldAllowedDriftBps=convert(known.allowedDriftBps, uint256),
        newAllowedDriftBps=convert(allowedDriftBps, uint256),
        oldDriftCooldown=convert(known.driftCooldown, uint256),
        newDriftCooldown=convert(driftCooldown, uint256),
    )
    self.assetData[asset].allowedDriftBps = allowedDriftBps
    self.assetData[asset].driftCooldown = driftCooldown


@external
def scheduleCorporateActionPause(asset: address, sValue: uint128, pauseStartTime: uint256):
    """
    @notice Owner only. A pause scheduled before is replaced. Reverts: "shares: no such asset", "shares: zero value",
            "shares: paused", "shares: start in the past".
    @param sValue wad, what it will be after the pause.
    @param pauseStartTime Unix seconds; 0 for now.
    """
    ownable._check_owner()
    self._check_known(asset)
    self._check_value(sValue)
    self._check_not_paused(asset)
    start: uint256 = block.timestamp if pauseStartTime == 0 else pauseStartTime
    assert start >= block.timestamp, "shares: start in the past"
    self._schedule(asset, sValue, start)


@external
def adjustPause(asset: address, sValue: uint128):
    """
    @notice Owner only. Another value for a pause that has begun; its clock restarts. Reverts: "shares: no such asset",
            "shares: zero value", "shares: not paused".
    """
    ownable._check_owner()
    self._check_known(asset)
    self._check_value(sValue)
    self._check_paused(asset)
    self._schedule(asset, sValue, block.timestamp)


@external
def unpause(asset: address):
    """
    @notice Owner only. End a pause; the pending value comes into force. Reverts: "shares: no such asset",
            "shares: not paused", "shares: pause too young".
    """
    ownable._check_owner()
    self._check_known(asset)
    self._check_paused(asset)
    known: Asset = self.assetData[asset]
    assert block.timestamp >= known.pauseStartTime + minimumPauseDuration, "shares: pause too young"
    self.assetData[asset].sValue = known.pendingSValue
    self.assetData[asset].lastUpdate = block.timestamp
    self._clear(asset)
    log CorporateActionApplied(asset=asset, oldSValue=known.sValue, newSValue=known.pendingSValue)


@external
def cancelScheduledPause(asset: address):
    """
    @notice Owner only. Call off a pause that has not begun. Reverts: "shares: no such asset", "shares: not scheduled",
            "shares: paused".
    """
    ownable._check_owner()
    self._check_known(asset)
    assert self.assetData[asset].pauseStartTime != 0, "shares: not scheduled"
    self._check_not_paused(asset)
    self._clear(asset)
    log CorporateActionCancelled(asset=asset)


@external
def abortPause(asset: address):
    """
    @notice Owner only. End a pause at once and discard the pending value. Reverts: "shares: no such asset",
            "shares: not paused".
    """
    ownable._check_owner()
    self._check_known(asset)
    self._check_paused(asset)
    self._clear(asset)
    log CorporateActionCancelled(asset=asset)


# internal


@internal
def _schedule(asset: address, s_value: uint128, start: uint256):
    self.assetData[asset].pendingSValue = s_value
    self.assetData[asset].pauseStartTime = start
    log CorporateActionScheduled(asset=asset, sValue=s_value, pauseStartTime=start)


@internal
def _clear(asset: address):
    self.assetData[asset].pendingSValue = 0
    self.assetData[asset].pauseStartTime = 0


@internal
@view
def _is_paused(asset: address) -> bool:
    start: uint256 = self.assetData[asset].pauseStartTime
    return start != 0 and start <= block.timestamp


@internal
@view
def _check_known(asset: address):
    assert self.assetData[asset].sValue != 0, "shares: no such asset"


@internal
@pure
def _check_value(s_value: uint128):
    assert s_value != 0, "shares: zero value"


@internal
@pure
def _check_drift(drift_bps: uint16, cooldown: uint48):
    assert convert(drift_bps, uint256) <= BPS and cooldown != 0, "shares: bad drift"


@internal
@view
def _check_paused(asset: address):
    assert self._is_paused(asset), "shares: not paused"


@internal
@view
def _check_not_paused(asset: address):
    assert not self._is_paused(asset), "shares: paused"
