"""How the library talks to an EVM: one contract proxy over interchangeable backends (in-process, JSON-RPC, ape)."""

from prime_perps.chain.contract import Backend, Contract, Log, Receipt

__all__ = ["Backend", "Contract", "Log", "Receipt"]
