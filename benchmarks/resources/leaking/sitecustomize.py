"""Put into workers as they start (``PYTHONPATH``): each frame that is decoded leaves ``LEAK_BYTES``."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

_kept: list[bytes] = []


class _Finder:
    """Changes the decoder's module once it is loaded, and not before: this runs in every interpreter."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "vedette.ingest.decode":
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        load = spec.loader.exec_module

        def load_and_change(module: Any) -> None:
            load(module)
            inside = module.Decoder.decode

            def decode(self: Any, frame: Any, seq: int) -> Any:
                _kept.append(b"x" * int(os.environ["LEAK_BYTES"]))
                return inside(self, frame, seq)

            module.Decoder.decode = decode

        spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec


if os.environ.get("LEAK_BYTES") and "vedette.workers" in sys.orig_argv:
    sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
