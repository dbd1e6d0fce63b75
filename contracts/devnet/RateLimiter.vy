# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title RateLimiter
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the issuer's limits: for each token and direction one bucket for everybody and one for each user.
        What is used decays by the whole limit in one window. A user's bucket is made at the first use, with the
        defaults of that moment, and keeps them until it is set. Setting a bucket empties it.
        Both must have room; both are charged. Direction 0 is mints, 1 redemptions. Amounts wad USD, times seconds.
"""
from contracts.interfaces import IRateLimiter
from snekmate.auth import ownable

implements: IRateLimiter

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


struct Bucket:
    used: uint256  # wad USD, as of updated_at
    updated_at: uint256  # unix seconds; zero for a bucket that was never set
    limit: uint256  # wad USD
    window: uint48  # seconds


struct Terms:
    limit: uint256  # wad USD
    window: uint48  # seconds


event ClientSet:
    client: indexed(address)
    allowed: bool


event GlobalLimitSet:
    transactionType: uint8
    rwaToken: indexed(address)
    limit: uint256
    window: uint48


event DefaultUserLimitSet:
    transactionType: uint8
    rwaToken: indexed(address)
    limit: uint256
    window: uint48


event UserLimitSet:
    transactionType: uint8
    rwaToken: indexed(address)
    userID: indexed(bytes32)
    limit: uint256
    window: uint48


MINT: constant(uint8) = 0
REDEMPTION: constant(uint8) = 1


is_client: public(HashMap[address, bool])
# by direction and token
_global: HashMap[uint8, HashMap[address, Bucket]]
_defaults: HashMap[uint8, HashMap[address, Terms]]
_users: HashMap[uint8, HashMap[address, HashMap[bytes32, Bucket]]]


@deploy
def __init__():
    ownable.__init__()


@external
def checkAndUpdateRateLimit(transactionType: uint8, rwaToken: address, userID: bytes32, usdValue: uint256):
    """
    @dev Reverts: "issuer: client only", "issuer: limits not set", "issuer: limit exceeded".
    """
    assert self.is_client[msg.sender], "issuer: client only"
    everybody: Bucket = self._global[transactionType][rwaToken]
    self._check_set(everybody.updated_at != 0)
    everybody = self._charged(everybody, usdValue)
    user: Bucket = self._users[transactionType][rwaToken][userID]
    if user.updated_at == 0:
        terms: Terms = self._defaults[transactionType][rwaToken]
        self._check_set(terms.limit != 0)
        user = self._bucket(terms.limit, terms.window)
    self._users[transactionType][rwaToken][userID] = self._charged(user, usdValue)
    self._global[transactionType][rwaToken] = everybody


@view
@external
def getCurrentGlobalSubscriptionLimit(rwaToken: address) -> (uint256, uint256):
    return self._state(self._global[MINT][rwaToken])


@view
@external
def getCurrentGlobalRedemptionLimit(rwaToken: address) -> (uint256, uint256):
    return self._state(self._global[REDEMPTION][rwaToken])


@view
@external
def getCurrentUserSubscriptionLimit(rwaToken: address, userID: bytes32) -> (uint256, uint256):
    return self._state(self._users[MINT][rwaToken][userID])


@view
@external
def getCurrentUserRedemptionLimit(rwaToken: address, userID: bytes32) -> (uint256, uint256):
    return self._state(self._users[REDEMPTION][rwaToken][userID])


@external
def set_client(client: address, allowed: bool):
    """
    @notice Owner only. Who may charge the buckets.
    """
    ownable._check_owner()
    self.is_client[client] = allowed
    log ClientSet(client=client, allowed=allowed)


@external
def set_global_limit(direction: uint8, token: address, limit: uint256, window: uint48):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self._global[direction][token] = self._bucket(limit, window)
    log GlobalLimitSet(transactionType=direction, rwaToken=token, limit=limit, window=window)


@external
def set_default_user_limit(direction: uint8, token: address, limit: uint256, window: uint48):
    """
    @notice Owner only. For users that come later; a limit of nothing admits none.
    """
    ownable._check_owner()
    self._defaults[direction][token] = Terms(limit=limit, window=window)
    log DefaultUserLimitSet(transactionType=direction, rwaToken=token, limit=limit, window=window)


@external
def set_user_limit(direction: uint8, token: address, user_id: bytes32, limit: uint256, window: uint48):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self._users[direction][token][user_id] = self._bucket(limit, window)
    log UserLimitSet(transactionType=direction, rwaToken=token, userID=user_id, limit=limit, window=window)


@internal
@view
def _bucket(limit: uint256, window: uint48) -> Bucket:
    return Bucket(used=0, updated_at=block.timestamp, limit=limit, window=window)


@internal
@view
def _charged(bucket: Bucket, amount: uint256) -> Bucket:
    """
    @return The bucket with `amount` used of it as of now.
    """
    used: uint256 = 0
    available: uint256 = 0
    used, available = self._state(bucket)
    assert amount <= available, "issuer: limit exceeded"
    return Bucket(used=used + amount, updated_at=block.timestamp, limit=bucket.limit, window=bucket.window)


@internal
@view
def _state(bucket: Bucket) -> (uint256, uint256):
    """
    @return (used, available); a limit that was lowered below what is used leaves nothing available
    """
    window: uint256 = convert(bucket.window, uint256)
    passed: uint256 = block.timestamp - bucket.updated_at
    if passed >= window:
        return 0, bucket.limit
    used: uint256 = bucket.used - min(bucket.used, bucket.limit * passed // window)
    return used, bucket.limit - min(bucket.limit, used)


@internal
@pure
def _check_set(is_set: bool):
    assert is_set, "issuer: limits not set"
