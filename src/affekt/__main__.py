"""``python -m affekt`` is ``affekt``."""

from affekt.cli.app import main

if __name__ == "__main__":
    main()
