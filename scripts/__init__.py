"""Commands of `ape run`. Each file holds one command and one function that programs and tests can import."""
