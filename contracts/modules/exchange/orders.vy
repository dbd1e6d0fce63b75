# pragma version 0.4.3
"""
@title orders
@license AGPL-3.0-only
@author Prime Perps
@notice Signed orders: what was signed, by whom, and how much of it is left. Typed data per EIP-712, contract signers
        per EIP-1271. Two bits a nonce (128 nonces a slot) tell fresh, partly filled and done, so that an order filled
        at once never writes its amount. Baskets share signatures, nonces and floors with them.
"""
from contracts.interfaces import IExchange
from snekmate.utils import eip712_domain_separator

uses: eip712_domain_separator


ORDER_TYPEHASH: constant(bytes32) = keccak256(
    "Order(uint256 account,uint256 market,int256 size,uint256 price,uint256 nonce,uint256 expiry,"
    "bool reduce_only,bool post_only)"
)
IS_VALID_SIGNATURE: constant(bytes4) = 0x1626BA7E

SIZE_MAX: constant(int256) = 2**79 - 1
# Above this a signature has a twin (EIP-2).
S_MAX: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168
NONCE_MAX: constant(uint256) = 2**32 - 1
FRESH: constant(uint256) = 0
PARTIAL: constant(uint256) = 1
DONE: constant(uint256) = 2


_states: HashMap[uint256, HashMap[uint256, uint256]]
_filled: HashMap[bytes32, uint256]
_floors: HashMap[uint256, uint256]


@internal
@view
def _hash(order: IExchange.Order) -> bytes32:
    return eip712_domain_separator._hash_typed_data_v4(
        keccak256(
            abi_encode(
                ORDER_TYPEHASH,
                order.account,
                order.market,
                order.size,
                order.price,
                order.nonce,
                order.expiry,
                order.reduce_only,
                order.post_only,
            )
        )
    )


@internal
@view
def _check_signed(signer: address, digest: bytes32, signature: Bytes[512]):
    assert self._is_signed(signer, digest, signature), "orders: bad signature"


@internal
@view
def _is_signed(signer: address, digest: bytes32, signature: Bytes[512]) -> bool:
    if len(signature) == 65:
        r: uint256 = extract32(signature, 0, output_type=uint256)
        s: uint256 = extract32(signature, 32, output_type=uint256)
        v: uint256 = convert(slice(signature, 64, 1), uint256)
        # tried before asking whether the signer is a contract, which costs more; no contract has a private key
        if s <= S_MAX and signer != empty(address) and ecrecover(digest, v, r, s) == signer:
            return True
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        signer,
        abi_encode(digest, signature, method_id=IS_VALID_SIGNATURE),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    return success and len(answer) == 32 and convert(answer, bytes32) == convert(IS_VALID_SIGNATURE, bytes32)


@internal
@view
def _check_live(account: uint256, nonce: uint256, expiry: uint256):
    assert block.timestamp <= expiry, "orders: expired"
    assert self._floors[account] <= nonce, "orders: nonce below floor"
    self._check_nonce(nonce)


@internal
@pure
def _check_nonce(nonce: uint256):
    assert nonce <= NONCE_MAX, "orders: nonce too large"


@internal
@pure
def _check_free(free: bool):
    assert free, "orders: nonce used"


@internal
@pure
def _check_size(fits: bool):
    assert fits, "orders: bad size"


@internal
@view
def _state(account: uint256, nonce: uint256) -> uint256:
    return (self._states[account][nonce >> 7] >> ((nonce & 127) << 1)) & 3


@internal
def _set_state(account: uint256, nonce: uint256, state: uint256):
    offset: uint256 = (nonce & 127) << 1
    self._states[account][nonce >> 7] = (self._states[account][nonce >> 7] & ~(3 << offset)) | (state << offset)


@internal
@view
def _spent(account: uint256, nonce: uint256, digest: bytes32, whole: uint256) -> uint256:
    state: uint256 = self._state(account, nonce)
    if state == FRESH:
        return 0
    if state == DONE:
        return whole
    return self._filled[digest]


@internal
@view
def _gone(account: uint256, nonce: uint256, digest: bytes32, whole: uint256) -> uint256:
    """
    @notice How much of `whole` nobody can fill any more; below the nonce floor that is all.
    """
    if nonce < self._floors[account]:
        return whole
    return self._spent(account, nonce, digest, whole)


@internal
def _spend(account: uint256, nonce: uint256, digest: bytes32, amount: uint256, whole: uint256) -> uint256:
    """
    @notice Take `amount` from what is left of `whole`: nano of an order, a wad of a basket.
    @return What was taken before.
    """
    state: uint256 = self._state(account, nonce)
    before: uint256 = self._spent(account, nonce, digest, whole)
    # a nonce that another order has begun is not free, nor is one that is done
    self._check_free(state == FRESH or (state == PARTIAL and before > 0))
    assert amount <= whole - before, "orders: overfilled"
    if before + amount == whole:
        self._set_state(account, nonce, DONE)
        return before
    if state == FRESH:
        self._set_state(account, nonce, PARTIAL)
    self._filled[digest] = before + amount
    return before


@internal
def _use(order: IExchange.Order, digest: bytes32, amount: uint256):
    """
    @notice Take `amount` nano from what is left of the order.
    """
    self._spend(order.account, order.nonce, digest, amount, convert(abs(order.size), uint256))
    log IExchange.OrderFilled(order_hash=digest, amount=amount)


@internal
def _cancel(account: uint256, nonce: uint256):
    self._check_nonce(nonce)
    self._check_free(self._state(account, nonce) != DONE)
    self._set_state(account, nonce, DONE)
    log IExchange.OrderCancelled(account=account, nonce=nonce)


@internal
def _raise_floor(account: uint256, lowest: uint256):
    assert self._floors[account] < lowest and lowest <= NONCE_MAX, "orders: floor not raised"
    self._floors[account] = lowest
    log IExchange.NonceFloorRaised(account=account, floor=lowest)


@internal
@pure
def _check_against(order: IExchange.Order, size: int256):
    """
    @notice The order can be filled by `size`, signed for the other side.
    """
    self._check_size(abs(order.size) <= SIZE_MAX and abs(size) <= SIZE_MAX and size != 0)
    assert order.size != 0 and (order.size > 0) == (size < 0), "orders: same side"


@internal
@pure
def _check_limit(size: int256, price: uint256, limit: uint256):
    """
    @param limit wad, the worst price accepted by the side that trades `size`.
    """
    assert price <= limit if size > 0 else price >= limit, "orders: price over limit"


@internal
@view
def _floor(account: uint256) -> uint256:
    return self._floors[account]


@internal
@pure
def _toward(order: IExchange.Order, size: uint256) -> int256:
    """
    @notice `size` with the sign of the order.
    """
    self._check_size(size <= convert(SIZE_MAX, uint256))
    if order.size < 0:
        return -convert(size, int256)
    return convert(size, int256)
