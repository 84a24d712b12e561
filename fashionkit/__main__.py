"""Entry point of ``python -m fashionkit``."""

from fashionkit._cli import main

if __name__ == "__main__":
    raise SystemExit(main())
