"""Runs the dialer siprobo in its own virtual environment: nothing of this project is imported here.

``python siprobo_caller.py PORT CALLS WORKERS WAV`` prints one JSON object.
"""

import importlib
import json
import os
import sys
import time


def main() -> None:
    """Place the calls with so many at once; how many were answered, and how long it took."""
    make_calls_concurrent = importlib.import_module("siprobo.caller").make_calls_concurrent
    port, calls, workers, wav = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    configs = [
        {
            "host": "127.0.0.1",
            "port": port,
            "phone": f"+1202555{number:08d}",
            "source_ip": "127.0.0.1",
            "caller_id": "+12025550100",
            "wav_path": wav,
            "ring_timeout": 8,
        }
        for number in range(calls)
    ]
    stdout = sys.stdout
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        sys.stdout = nowhere
        started = time.perf_counter()
        results = make_calls_concurrent(configs, max_workers=workers)
        elapsed = time.perf_counter() - started
    sys.stdout = stdout
    lost = results.count(False)
    print(json.dumps({"calls": calls, "lost": lost, "rate": (calls - lost) / elapsed}))


if __name__ == "__main__":
    main()
