"""`python -m al_core`: see al_core.cli."""

import sys

from al_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
