"""What the server has loaded that processes of tests are forked from (tests/forked.py): their code, and its digest.

The SDK reads all code that is loaded for the digest by which a worker is told from those of other versions, as long as all else
that a worker does before it works.
"""

from temporalio.worker._worker import (
    load_default_build_id,
)  # the SDK has no public way to work it out before a worker starts

import tests.dying_api
import tests.dying_worker  # noqa: F401 - loaded is what it is to be

load_default_build_id()
