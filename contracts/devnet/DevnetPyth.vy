# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title DevnetPyth
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for Pyth on local and test networks: whoever wants a price on the chain brings it and pays a fee for
        each. It keeps the newest, however stale, with any confidence and exponent, and may fail: revert, or burn all
        gas it is given. Left out: who attests to a price. Here, anyone who pays.
"""
from contracts.interfaces import IPyth

implements: IPyth


flag Fault:
    REVERTS
    BURNS_GAS


event PriceFeedUpdate:
    id: indexed(bytes32)
    publishTime: uint256
    price: int64
    conf: uint64


FEE: public(immutable(uint256))  # wei for each update
_OWNER: immutable(address)

fault: public(Fault)
_prices: HashMap[bytes32, IPyth.Price]


@deploy
def __init__(fee: uint256):
    """
    @dev The deployer may have it fail.
    """
    FEE = fee
    _OWNER = msg.sender


@view
@external
def getPriceUnsafe(id: bytes32) -> IPyth.Price:
    """
    @dev Reverts: "pyth: no such price", "pyth: down".
    """
    assert self.fault != Fault.REVERTS, "pyth: down"
    if self.fault == Fault.BURNS_GAS:
        # An invalid opcode takes all the gas, as a loop without end would.
        raise UNREACHABLE
    price: IPyth.Price = self._prices[id]
    assert price.publishTime != 0, "pyth: no such price"
    return price


@view
@external
def getUpdateFee(updateData: DynArray[Bytes[4_096], 8]) -> uint256:
    return FEE * len(updateData)


@payable
@external
def updatePriceFeeds(updateData: DynArray[Bytes[4_096], 8]):
    """
    @param updateData Each the ABI encoding of (bytes32 id, int64 price, uint64 conf, int32 expo, uint256 publishTime).
           One not newer than what is kept is paid for, and passed over.
    @dev Reverts: "pyth: insufficient fee".
    """
    assert msg.value >= FEE * len(updateData), "pyth: insufficient fee"
    for update: Bytes[4_096] in updateData:
        id: bytes32 = empty(bytes32)
        price: IPyth.Price = empty(IPyth.Price)
        id, price.price, price.conf, price.expo, price.publishTime = abi_decode(
            update, (bytes32, int64, uint64, int32, uint256)
        )
        if price.publishTime > self._prices[id].publishTime:
            self._prices[id] = price
            log PriceFeedUpdate(id=id, publishTime=price.publishTime, price=price.price, conf=price.conf)


@external
def set_fault(fault: Fault):
    """
    @notice How reading fails: 0 not at all, 1 reverts, 2 burns all gas.
    @dev Reverts: "pyth: owner only".
    """
    assert msg.sender == _OWNER, "pyth: owner only"
    self.fault = fault
