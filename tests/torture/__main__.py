"""Hard use: faults that are injected and inputs that are tried, and a table of what came of them.

Run as ``python -m tests.torture``, or ``make torture``: some minutes on two cores.
"""

import os
import sys

os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

from tests.torture import command

if __name__ == "__main__":
    sys.exit(command.main())
