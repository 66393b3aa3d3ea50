"""What a proposal costs: `python -m bench.proposals FILE` learns from a file of messages and asks the model of each of them.

Printed are milliseconds of processor time, so that other work on the machine does not count; and the sizes of what is kept.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from engine.advice.examples import Example, by_category
from engine.advice.learning import learn
from engine.store.archive import pack, unpack
from local.real.message_file import ColumnMap, read_messages
from schemas.advice.dispatch_model import DispatchModel
from schemas.values.canonical import canonical_json


def main(file: Path) -> None:
    """Learn, keep, load, propose."""
    examples = [
        Example(each.description, each.category, each.user or each.message_id)
        for each in read_messages(file, ColumnMap()).messages
    ]
    learned, model = _timed(lambda: learn(examples)[0])
    plain = canonical_json(model)
    packed = pack(plain)
    loaded, again = _timed(lambda: DispatchModel.model_validate_json(unpack(packed)))
    print(f"{len(examples)} texts, {len(by_category(examples))} categories, {len(model.grams)} grams")
    print(f"learned with five folds: {learned:.0f} ms")
    print(
        f"kept: {len(plain):,} bytes, packed {len(packed):,}; loaded and checked: {loaded:.0f} ms; the same: {again == model}"
    )
    for what, worded in (("a report", ()), ("with words", model.categories)):
        each = [_timed(partial(model.likelihoods, each.text, worded))[0] for each in examples]
        print(f"{what}: median {median(each):.2f} ms, 99 of 100 under {quantiles(each, n=100)[98]:.2f} ms")


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    found = act()
    return (time.process_time() - began) * 1000, found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
