"""Arrays that are mel spectrograms: axes by the dialect's bands, values that can be in it."""

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import Context, MelDialect, MelSpectrogram
from tonearm.arrays import read_array
from tonearm.errors import Advice, ChooseOption, ItemError, SetOption
from tonearm.recipes.catalogue import Catalogue, CatalogueEntry

BASE = {"sample_rate": 22050, "n_fft": 1024, "hop_length": 256, "n_mels": 80}
KNOWN = Catalogue(
    MelDialect,
    [
        CatalogueEntry("a", "ln", BASE),
        CatalogueEntry("a", "tens", BASE | {"log": "log10"}),
        CatalogueEntry("a", "wide", BASE | {"n_mels": 100, "sample_rate": 24000}),
    ],
)


def read(array, dialect=None, **options):
    found = dialect or KNOWN.find("ln")
    warnings = []
    signals = list(
        read_array(
            array,
            array_options(kind="mel", dialect=found, **{k: v for k, v in options.items() if k != "lengths"}),
            Context(on_warning=warnings.append, catalogue=lambda _: KNOWN),
            lengths=options.get("lengths"),
        )
    )
    return signals, warnings


def refused(array, dialect=None, **options):
    with pytest.raises(ItemError) as caught:
        read(array, dialect, **options)
    return caught.value


def values(*shape, low=-11.5, high=0.5):
    return np.linspace(low, high, int(np.prod(shape)), dtype="f4").reshape(shape)


@pytest.mark.parametrize("shape", [(80, 9), (1, 80, 9), (1, 1, 80, 9)])
def test_bands_are_found_by_their_number(shape):
    array = values(*shape)
    ((signal,), _) = read(array)
    assert isinstance(signal, MelSpectrogram)
    assert signal.sample_rate == 22050
    np.testing.assert_array_equal(signal.values, array.reshape(1, 80, 9))
    ((turned,), _) = read(array.swapaxes(-1, -2))
    np.testing.assert_array_equal(turned.values, array.reshape(1, 80, 9))


def test_a_batch_is_cropped_to_its_lengths_and_keeps_what_is_known_of_its_samples():
    signals, _ = read(values(2, 80, 9), axes=["batch", "mel", "frame"], lengths=np.array([9, 4]), length=1000)
    assert [signal.frames for signal in signals] == [9, 4]
    assert [signal.length for signal in signals] == [1000, 1000]


def test_as_many_frames_as_bands_must_be_told_apart():
    error = refused(values(80, 80))
    assert error.code == "ambiguous-axes"
    assert "axes: [mel, frame] or [frame, mel]" in error.hint


def test_bytes_and_half_floats_become_floats():
    dialect = MelDialect(**BASE, log="none", steps=())
    ((signal,), _) = read(np.arange(80 * 9, dtype="u1").reshape(80, 9), dialect)
    assert signal.values.dtype == np.float32
    ((signal,), _) = read(values(80, 9).astype("f2"))
    assert signal.values.dtype == np.float32
    ((signal,), _) = read(values(80, 9).astype("f8"), precision="double")
    assert signal.values.dtype == np.float64


def test_complex_values_are_no_mel():
    assert refused(values(80, 9).astype("c8")).code == "kind-mismatch"


def test_another_number_of_bands_names_the_dialects_that_have_it():
    error = refused(values(100, 9))
    assert error.code == "dialect-mismatch"
    assert error.message == "no axis of shape (100, 9) has 80 bands, like the dialect ln"
    otherwise = "if the model has 100 bands but is otherwise the same"
    assert error.remedies == (
        SetOption("dialect", {"base": "ln", "n_mels": 100}, when=otherwise),
        SetOption("dialect", "wide", when="with sample_rate 24000 for 22050"),
    )
    unusual = refused(values(101, 9))
    assert unusual.remedies == (Advice("no known dialect fits; you can write out all figures of one"),)


def test_values_below_the_floor_name_the_dialects_that_go_so_low():
    error = refused(values(80, 9), KNOWN.find("tens"))
    assert error.code == "dialect-mismatch"
    assert error.message == "the smallest value is -11.5, but in tens none is below -5"
    assert error.remedies == (SetOption("dialect", "ln"),)


def test_what_fits_nothing_can_be_spelled_out():
    assert refused(values(80, 9, low=-999)).hint == "no known dialect fits; you can write out all figures of one"


def test_many_that_would_fit_are_not_all_named():
    many = Catalogue(MelDialect, [CatalogueEntry("a", f"d{i}", BASE) for i in range(10, 37)])
    options = array_options(kind="mel", dialect=MelDialect(**BASE, log="log10"))
    with pytest.raises(ItemError) as caught:
        list(read_array(values(80, 9), options, Context(catalogue=lambda _: many)))
    named = tuple(f"d{i}" for i in range(10, 18))
    assert caught.value.remedies == (ChooseOption("dialect", named, when="or 19 more"),)


def test_frames_that_are_masked_are_left_out_with_a_note():
    masking = MelDialect(**BASE, last_frame="mask")
    array = values(80, 9)
    array[:, 7:] = 0
    ((signal,), warnings) = read(array, masking)
    assert signal.frames == 7
    assert warnings == ["masked frames at the end are left out: 2"]
    ((signal,), warnings) = read(array)
    assert (signal.frames, warnings) == (9, [])


def test_values_that_are_not_finite_do_not_count():
    array = values(80, 9)
    array[3, 3] = np.inf
    assert refused(array).code == "not-finite"
    ((signal,), _) = read(array, nan="keep")
    assert np.isinf(signal.values).sum() == 1


def test_without_a_dialect_it_cannot_be_read():
    with pytest.raises(ItemError) as caught:
        list(read_array(values(80, 9), array_options(kind="mel"), Context()))
    assert caught.value.code == "no-dialect"
