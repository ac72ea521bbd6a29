"""`python -m dataset_dm.cli …` is `dataset-dm …`."""

import sys

from dataset_dm.cli import main

sys.exit(main())
