"""Write a recording in the format of tests/downstream/acme: a tone of 440 Hz, 16-bit, 16 kHz."""

import array
import math
import sys
from pathlib import Path

tone = array.array("h", (round(8000 * math.sin(2 * math.pi * 440 * n / 16000)) for n in range(16000)))
if sys.byteorder == "big":
    tone.byteswap()
Path(sys.argv[1]).write_bytes(b"ACME" + tone.tobytes())
