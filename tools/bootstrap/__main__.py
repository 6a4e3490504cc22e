"""`python3 tools/bootstrap`: makes `.venv` with the tested set, ready to train and to test.

This file is the gate: it must run on any Python, to be able to refuse one in plain words.
"""

import sys

if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        'mmforecast needs Python 3.10 to 3.13, and %s is Python %d.%d: name another '
        'interpreter, as in `make setup PYTHON=python3.11`.'
        % ((sys.executable,) + tuple(sys.version_info[:2]))
    )

from steps import main  # noqa: E402

sys.exit(main())
