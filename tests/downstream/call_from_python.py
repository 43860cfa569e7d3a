"""Calls the functions for a model's code with what third parties' packages offer; run with these on the path."""

import json
import sys

import numpy as np

import tonearm

values = np.load("a.npy")
options = {"kind": "cqt", "sample_rate": 16000, "hop_length": 128, "bins_per_octave": 24, "fmin": 130.81, "n_bins": 120}
tonearm.save(values, "array.wav", **options)
pipeline = tonearm.load_pipeline({"tonearm": 1, "input": {"use": "npy-reader", "with": options}})
(signal,) = pipeline.convert(values)
saved = tonearm.save(signal, "signal.wav")
implied = {name: value for name, value in options.items() if name != "kind"}
tonearm.save(values, "implied.wav", **implied)
sound = tonearm.to_waveform(signal)
tonearm.save(sound, "sound.tape", bits=12)
encoded = tonearm.encode(sound, "tape", bits=12)
try:
    tonearm.save(signal, "other.wav", bits=12)
except tonearm.UsageError as error:
    refused = str(error)
tape = [encoded[:4].decode(), tonearm.read("sound.tape").sample_rate, tonearm.read(encoded, format="tape").length]
found = {
    "port": signal.port,
    "measured": sorted(saved.measured),
    "tape": tape,
    "refused": refused,
}
json.dump(found, sys.stdout)
