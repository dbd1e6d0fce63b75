# pragma version 0.4.3
"""
@title token_probe
@license AGPL-3.0-only
@author Prime Perps
@notice What can be told about a token before its first transfer. A rebasing token gives itself away by the views its
        kind has. The list is a net, not a proof: listing waits for the timelock, where people look, and custody
        measures every transfer. Wrapped (ERC-4626) and UI-multiplier (ERC-8056) tokens keep raw balances and pass.
"""


# The argument of the probes that take one: any account will do.
ANYBODY: constant(address) = 0x0000000000000000000000000000000000000001


@internal
@view
def _decimals(token: address) -> uint256:
    """
    @return The decimals of a contract that has them and does not rebase, as far as its views tell.
    """
    self._check_contract(token)
    self._check_steady(not self._looks_rebasing(token))
    answer: Bytes[32] = self._ask(token, method_id("decimals()"))
    self._check_answered(answer)
    return convert(convert(answer, bytes32), uint256)


@internal
@view
def _looks_rebasing(token: address) -> bool:
    return (
        self._answers(token, abi_encode(ANYBODY, method_id=method_id("sharesOf(address)")))  # xStocks, stETH, rUSDY
        or self._answers(token, abi_encode(ANYBODY, method_id=method_id("scaledBalanceOf(address)")))  # aTokens, AMPL
        or self._answers(token, abi_encode(ANYBODY, method_id=method_id("creditsBalanceOf(address)")))  # OUSD, OETH
        or self._answers(token, method_id("balancePerShare()"))  # Dinari dShares
        or self._answers(token, method_id("rewardMultiplier()"))  # USDM
    )


@internal
@view
def _answers(token: address, data: Bytes[36]) -> bool:
    """
    @dev A fallback that accepts any call answers with nothing, so a success alone says nothing.
    """
    return len(self._ask(token, data)) == 32


@internal
@view
def _ask(token: address, data: Bytes[36]) -> Bytes[32]:
    """
    @return The first 32 bytes of the answer, or nothing when the token has no such view.
    """
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(token, data, max_outsize=32, is_static_call=True, revert_on_failure=False)
    return answer if success else b""


@internal
@view
def _check_contract(token: address):
    assert token.is_contract, "vault: not a contract"


@internal
@pure
def _check_steady(steady: bool):
    assert steady, "vault: rebasing token"


@internal
@pure
def _check_answered(answer: Bytes[32]):
    assert len(answer) == 32, "vault: no decimals"
