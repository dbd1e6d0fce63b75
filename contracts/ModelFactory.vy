# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title ModelFactory
@license AGPL-3.0-only
@author Prime Perps
@notice Makes margin models of one known code, so that a vote to use one is about its numbers only, and says of two of
        them whether one charges no book less than the other, which is what lets the guardian use it.

        Trust. Nobody: anyone makes models, and a model has no effect until the clearinghouse is pointed at it. The code
        they share is the blueprint named at deployment, which auditors compare with contracts/MarginModel.vy.
@custom:kill There is nothing to stop.
"""
from contracts.interfaces import IMarginModel
from contracts.interfaces import IModelFactory

from .modules.margin import charges

implements: IModelFactory


DAY: constant(uint256) = 86_400
RAMP_MAX: constant(uint256) = 30 * DAY
# Long enough for any vote, and short enough that no model puts those after it out of reach.
WAIT_MAX: constant(uint256) = 30 * DAY
# EIP-5202: three bytes stand before the creation code.
PREAMBLE_BYTES: constant(uint256) = 3

blueprint: public(immutable(address))
ramp: public(immutable(uint256))

made: public(HashMap[address, bool])


@deploy
def __init__(blueprint_: address, ramp_: uint256):
    """
    @param blueprint_ The creation code of MarginModel, as EIP-5202 has it.
    @param ramp_ seconds over which a model that follows another comes into force, up to 30 days; days where money is at
           stake.
    @dev Reverts: "factory: bad ramp".
    """
    self._check_ramp(ramp_)
    blueprint = blueprint_
    ramp = ramp_


@external
def make(
    globals: IMarginModel.Globals, lines: DynArray[IMarginModel.Line, 64], previous: address, starts: uint256
) -> address:
    duration: uint256 = ramp if previous != empty(address) else 0
    model: address = create_from_blueprint(
        blueprint, globals, lines, previous, starts, duration, code_offset=PREAMBLE_BYTES
    )
    self.made[model] = True
    log IModelFactory.ModelMade(model=model, previous=previous, starts=starts, made_by=msg.sender)
    return model


@external
@view
def follows(model: address, present: address) -> bool:
    """
    @dev A model made elsewhere is whatever those who vote for it say it is: nothing is asked of it here.
         While the present one is still coming in, only a vote may have another follow it: a check asks every model that
         is not yet in force for the one before, so a guardian with a long line of them could make it cost a block.
    """
    if not self.made[model]:
        return False
    self._check_follows(model, present)
    raised: bool = (
        self.made[present]
        and staticcall IMarginModel(present).in_force_at() <= block.timestamp
        and charges._globals_raised(
            staticcall IMarginModel(model).globals(), staticcall IMarginModel(present).globals()
        )
    )
    if raised:
        ours: DynArray[IMarginModel.Line, 64] = staticcall IMarginModel(model).lines()
        theirs: DynArray[IMarginModel.Line, 64] = staticcall IMarginModel(present).lines()
        raised = len(ours) == len(theirs)
        for i: uint256 in range(len(theirs), bound=64):
            raised = raised and charges._line_raised(ours[i], theirs[i])
    return raised


@internal
@view
def _check_follows(model: address, present: address):
    """
    @dev A ramp that has begun would be a step of its first part.
    """
    starts: uint256 = staticcall IMarginModel(model).starts()
    assert (
        staticcall IMarginModel(model).previous() == present
        and block.timestamp <= starts
        and starts <= block.timestamp + WAIT_MAX
    ), "factory: not the next model"


@internal
@pure
def _check_ramp(duration: uint256):
    assert 0 < duration and duration <= RAMP_MAX, "factory: bad ramp"
