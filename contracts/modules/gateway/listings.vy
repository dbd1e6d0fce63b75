# pragma version 0.4.3
"""
@title listings
@license AGPL-3.0-only
@author Prime Perps
@notice Which instrument is minted and redeemed where, and how far from the oracle's price.
"""
from contracts.interfaces import IIssuerGateway
from contracts.interfaces import ITokenManager


BPS: constant(uint256) = 10**4
BAND_MAX: constant(uint256) = 2_000
PERIOD_MAX: constant(uint256) = 366 * 86_400


_listings: HashMap[uint256, IIssuerGateway.Listing]


@internal
@view
def _load(instrument: uint256) -> IIssuerGateway.Listing:
    return self._listings[instrument]


@internal
@view
def _load_listed(instrument: uint256) -> IIssuerGateway.Listing:
    listing: IIssuerGateway.Listing = self._listings[instrument]
    assert listing.manager != empty(address), "gateway: not listed"
    return listing


@internal
@view
def _load_enabled(instrument: uint256) -> IIssuerGateway.Listing:
    listing: IIssuerGateway.Listing = self._load_listed(instrument)
    assert listing.enabled, "gateway: disabled"
    return listing


@internal
def _set(instrument: uint256, listing: IIssuerGateway.Listing, decimals: uint256):
    """
    @param decimals Of the instrument's token. Quotes count in 18, and so does the book.
    """
    assert (
        listing.manager.is_contract
        and listing.dollar.is_contract
        and listing.swapper.is_contract
        and decimals == 18
        and 0 < listing.band
        and listing.band <= BAND_MAX
        and listing.haircut <= BPS
        and 0 < listing.haircut_period
        and listing.haircut_period <= PERIOD_MAX
    ), "gateway: bad listing"
    self._listings[instrument] = listing
    log IIssuerGateway.ListingSet(instrument=instrument, listing=listing)


@internal
def _set_enabled(instrument: uint256, enabled: bool):
    self._listings[instrument].enabled = enabled
    log IIssuerGateway.EnabledSet(instrument=instrument, enabled=enabled)


@internal
@pure
def _check_quote(listing: IIssuerGateway.Listing, quote: ITokenManager.Quote, token: address, account: uint256):
    """
    @notice What an issuer does not look at: that the quote is for the token meant, and for this account.
    """
    assert quote.asset == token, "gateway: wrong asset"
    assert not listing.bound or quote.additionalData == convert(account, bytes32), "gateway: quote for another"
