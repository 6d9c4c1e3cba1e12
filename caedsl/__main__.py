"""``python -m caedsl`` is ``caedsl``."""

import sys

from caedsl.cli.main import main

sys.exit(main())
