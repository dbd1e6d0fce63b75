"""`python -m prime_perps.abi`: rewrite the committed ABIs and say which changed."""

from prime_perps import abi

if __name__ == "__main__":
    changed = abi.rewrite()
    print(f"changed: {', '.join(changed)}" if changed else "unchanged")
