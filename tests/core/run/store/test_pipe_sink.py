import pytest

from tonearm.errors import ItemError
from tonearm.run.store.pipe_sink import PipeSink


def test_bytes_pass_as_they_come():
    taken = []
    sink = PipeSink(lambda view: taken.append(bytes(view)), ".mp3")
    with sink.open() as file:
        assert file.write(b"one") == 3
        assert taken == [b"one"], "nothing is held back"
        assert file.write(memoryview(b"two!").cast("H")) == 4
        assert file.write(b"") == 0
        assert not file.seekable()
    assert taken == [b"one", b"two!"]
    assert (sink.seekable, sink.suffix) == (False, ".mp3")


def test_an_error_of_the_other_side_passes():
    def gone(_):
        raise BrokenPipeError

    with PipeSink(gone, ".mp3").open() as file, pytest.raises(BrokenPipeError):
        file.write(b"one")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda sink: sink.path, "the encoder writes a file, and cannot write into a pipe"),
        (
            lambda sink: sink.sidecar(".json"),
            "provenance is written into a file beside the sound, and a pipe has none",
        ),
    ],
)
def test_there_is_no_file(ask, message):
    with pytest.raises(ItemError) as error:
        ask(PipeSink(print, ".png"))
    assert error.value.code == "needs-file"
    assert error.value.message == message
