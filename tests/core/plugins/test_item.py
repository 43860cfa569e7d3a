"""Items."""

import numpy as np
import pytest

from tonearm.api import (
    Item,
    Waveform,
)


def test_an_item_says_where_it_comes_from():
    signal = Waveform(samples=np.zeros((1, 3), np.float32), sample_rate=8000)
    item = Item(signal=signal)
    assert (item.key, item.index, item.tags) == ("", 0, {})
    assert Item(signal=signal, index=1) != Item(signal=signal, index=1)
    with pytest.raises(AttributeError):
        item.index = 2
