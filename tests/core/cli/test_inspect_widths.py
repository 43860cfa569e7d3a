"""The pages of ``tonearm inspect`` on terminals of many widths."""

import numpy as np
import pytest
import yaml

from tonearm.cli import main as cli


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).standard_normal((2, 80, 60)).astype(np.float32)
    np.save("mel.npy", np.log(np.maximum(abs(noise[0]), 1e-5)))
    np.save("stft.npy", (noise[0, :65] + 1j * noise[1, :65]) / 9)
    np.save("wave.npy", noise[0].reshape(-1) / 9)
    return ["mel.npy", "stft.npy", "wave.npy"]


@pytest.mark.parametrize("width", [40, 54, 80, 109])
def test_lines_break_between_words_alone_and_pipelines_stay_yaml(width, files, capsys, monkeypatch):
    for name in files:
        pages = []
        for columns in ("100000", str(width)):
            monkeypatch.setenv("COLUMNS", columns)
            assert cli.main(["inspect", name]) == 0
            pages.append([line for line in capsys.readouterr().out.splitlines() if not set(line) & set("▁▂▃▄▅▆▇█░▒▓")])
        whole, page = pages
        assert sorted(" ".join(page).replace("#", "").split()) == sorted(" ".join(whole).replace("#", "").split())
        assert [line for line in page if len(line) > width and len(line.split()) > 2] == []
        starts = [lines.index("tonearm: 1") for lines in pages]
        first, second = (yaml.safe_load("\n".join(lines[start:])) for lines, start in zip(pages, starts, strict=True))
        assert first == second


@pytest.mark.parametrize(("width", "drawn"), [(40, 38), (54, 52), (80, 64)])
def test_previews_are_no_wider_than_the_terminal(width, drawn, files, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    for name in files:
        assert cli.main(["inspect", name]) == 0
        lines = [line for line in capsys.readouterr().out.splitlines() if set(line) & set("▁▂▃▄▅▆▇█░▒▓")]
        assert lines
        assert {len(line) for line in lines} == {2 + min(drawn, 60 if name != "wave.npy" else drawn)}
