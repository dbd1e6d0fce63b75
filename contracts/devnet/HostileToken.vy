# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title HostileToken
@license AGPL-3.0-only
@author Prime Perps
@notice A token written by an attacker, for tests: every answer and every effect of a transfer can be chosen by anybody.
        It can call back into any contract in the middle of a transfer, take or give more than asked, lie about
        balances, return `false`, nothing, or a flood, and revert with or without a reason. It accepts any call it does
        not know. Unlocked on purpose: it has to be able to be called while it calls.
"""
from ethereum.ercs import IERC20


flag Answer:
    YES
    NO
    NOTHING
    FLOOD
    REVERT_SILENTLY
    REVERT_WITH_FLOOD


# Far more than any caller has room for.
FLOOD_SIZE: constant(uint256) = 8_192


decimals: public(immutable(uint256))


allowance: public(HashMap[address, HashMap[address, uint256]])
balances: HashMap[address, uint256]

answer: Answer
taken_bps: uint256  # of the amount, from the sender
given_bps: uint256  # of the amount, to the receiver
lie: int256  # added to every balance told

target: address
payload: Bytes[1_024]
reentry_succeeded: public(bool)
reentry_answer: public(Bytes[256])


@deploy
def __init__(decimals_: uint256):
    decimals = decimals_
    self.answer = Answer.YES
    self.taken_bps = 10_000
    self.given_bps = 10_000


@external
@payable
def __default__():
    pass


@external
@raw_return
def transfer(to: address, amount: uint256) -> Bytes[FLOOD_SIZE]:
    return self._move(msg.sender, to, amount)


@external
@raw_return
def transferFrom(owner: address, to: address, amount: uint256) -> Bytes[FLOOD_SIZE]:
    return self._move(owner, to, amount)


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice For the looks: nobody needs an allowance here.
    """
    self.allowance[msg.sender][spender] = amount
    return True


@view
@external
def balanceOf(owner: address) -> uint256:
    return convert(convert(self.balances[owner], int256) + self.lie, uint256)


@external
def mint(to: address, amount: uint256):
    self.balances[to] += amount


@external
def burn(owner: address, amount: uint256):
    self.balances[owner] -= amount


@external
def arm(target: address, payload: Bytes[1_024]):
    """
    @notice Call `target` in the middle of the next transfer and keep what it answers; a failure is not passed on.
    """
    self.target = target
    self.payload = payload


@external
def set_answer(answer: Answer):
    self.answer = answer


@external
def set_shares(taken_bps: uint256, given_bps: uint256):
    """
    @notice How much of an amount leaves the sender and how much arrives, bps; 10_000 both is honest.
    """
    self.taken_bps = taken_bps
    self.given_bps = given_bps


@external
def set_lie(lie: int256):
    self.lie = lie


@internal
def _move(owner: address, to: address, amount: uint256) -> Bytes[FLOOD_SIZE]:
    self.balances[owner] -= amount * self.taken_bps // 10_000
    self._call_back()
    self.balances[to] += amount * self.given_bps // 10_000
    return self._answer()


@internal
def _call_back():
    target: address = self.target
    if target == empty(address):
        return
    # Once only: the call may come back here.
    self.target = empty(address)
    self.reentry_succeeded, self.reentry_answer = raw_call(
        target, self.payload, max_outsize=256, revert_on_failure=False
    )


@internal
@view
def _answer() -> Bytes[FLOOD_SIZE]:
    if self.answer == Answer.YES:
        return abi_encode(True)
    if self.answer == Answer.NO:
        return abi_encode(False)
    if self.answer == Answer.FLOOD:
        return self._flood()
    if self.answer == Answer.REVERT_SILENTLY:
        raw_revert(b"")
    if self.answer == Answer.REVERT_WITH_FLOOD:
        raw_revert(self._flood())
    return b""


@internal
@pure
def _flood() -> Bytes[FLOOD_SIZE]:
    words: uint256[FLOOD_SIZE // 32 - 2] = empty(uint256[FLOOD_SIZE // 32 - 2])
    words[0] = 1
    return abi_encode(words)
