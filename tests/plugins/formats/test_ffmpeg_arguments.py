"""Arguments of ffmpeg: every way to other files is refused, and what is let through cannot name a file."""

from __future__ import annotations

import re
import subprocess

import pytest

from tonearm_plugins.formats import ffmpeg, ffmpeg_arguments
from tonearm_plugins.formats.ffmpeg_arguments import FORMATS, argument_problem


def said(*arguments: str) -> str:
    """What ffmpeg prints."""
    command = [ffmpeg.find(), "-hide_banner", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-compression_level", "10"],
        ["-b:a", "8k", "-application", "voip"],
        ["-q:a:0", "4", "-shortest", "-metadata:s:a:0", "title=/etc/passwd"],
        ["-movflags", "+faststart"],
        ["-af", "volume=0.5, highpass=f=100:p=2"],
        ["-filter:a", "pan=stereo|c0=c0|c1=c0"],
    ],
)
def test_ordinary_arguments_are_let_through(arguments: list[str]) -> None:
    assert argument_problem(arguments) == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["/tmp/other.wav"],
        ["-b:a", "8k", "other.wav"],
        ["-shortest", "other.wav"],
        ["pipe:1"],
        ["-"],
        ["--", "x"],
        ["-y"],
        ["-i", "/etc/passwd"],
        ["-f", "hls"],
        ["-f:a", "tee"],
        ["-attach", "/etc/passwd"],
        ["-dump_attachment:t", "x"],
        ["-map", "1"],
        ["-progress", "/tmp/x"],
        ["-report"],
        ["-passlogfile", "x"],
        ["-vstats_file", "x"],
        ["-sdp_file", "x"],
        ["-fpre", "x"],
        ["-apre", "x"],
        ["-init_hw_device", "opencl"],
        ["-filter_complex", "amovie=/etc/passwd"],
        ["-filter_complex_script", "x"],
        ["-filter_script:a", "x"],
        ["-lavfi", "amovie=x"],
        ["-/af", "/etc/passwd"],
        ["-/metadata", "/etc/passwd"],
        ["-af", "amovie=/etc/passwd"],
        ["-af", "volume=1,amovie=x"],
        ["-af", "volume=1;amovie=x"],
        ["-af", "[in]volume=1[out]"],
        ["-af", "volume=/volume=x"],
        ["-af", "/volume"],
        ["-af", "ametadata=print:file=x"],
        ["-af", "asendcmd=f=x"],
        ["-af", "azmq"],
        ["-af", "ladspa=file=x"],
        ["-af", "arnndn=m=x"],
        ["-af", "sofalizer=sofa=x"],
        ["-af", "firequalizer=dumpfile=x"],
        ["-af", "loudnorm=stats_file=x"],
        ["-af", "volume@/x=1"],
        ["-filter:a", "'amovie'=x"],
        ["-af", ""],
        ["-hls_segment_filename", "x"],
        ["-segment_list", "x"],
        ["-protocol_opts", "x"],
        ["-b:a"],
        ["-metadata:../x", "y"],
        [""],
    ],
)
def test_ways_to_other_files_are_refused(arguments: list[str]) -> None:
    assert argument_problem(arguments)


NO_OPTION = "is not an option, so ffmpeg would write a file of that name"
UNKNOWN = "is not one of the options that read and write no other files"
NO_VALUE = "has no value, so ffmpeg would take the next argument for it"
NOT_PLAIN = "is not a plain filter: quotes, labels, slashes and backslashes are not taken"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-shortest", "-vn", "-b:a", "8k", "-vn", "x"], f"'x' {NO_OPTION}"),
        (["-b:a", "8k", "-ab", "9k", "x"], f"'x' {NO_OPTION}"),
        (["-af", "volume=1", "x"], f"'x' {NO_OPTION}"),
        (["-vn", "-attach", "x"], f"'-attach' {UNKNOWN}"),
        (["-af", "volume", "-i:a", "x"], f"'-i:a' {UNKNOWN}"),
        (["-b:a"], f"'-b:a' {NO_VALUE}"),
        (["-vn", "-q", "1", "-filter:a"], f"'-filter:a' {NO_VALUE}"),
        (["-b", "-vn"], ""),
        (["-filter", "volume=1,,bass"], f"'' {NOT_PLAIN}"),
        (["-af", "volume=1,'bass'"], f"\"'bass'\" {NOT_PLAIN}"),
        (["-af", "bass,amovie=x"], "'amovie' is not one of the filters that read and write no files"),
        (["-b", "amovie"], ""),
        (["-threads", "64"], ""),
        (["-threads:a", "65"], "'65' is not a number of threads up to 64"),
        (["-threads", "9" * 5000], f"'{'9' * 5000}' is not a number of threads up to 64"),
        (["-threads", "-1"], "'-1' is not a number of threads up to 64"),
    ],
)
def test_the_first_problem_of_arguments_is_named(arguments: list[str], problem: str) -> None:
    assert argument_problem(arguments) == problem


def test_no_option_that_is_let_through_names_a_file_to_this_ffmpeg() -> None:
    """ffmpeg takes names of files as strings, so no option may be one, but for those that are known."""
    texts = {"brand", "fec", "level", "profile"}  # of protocols and of video, where they are strings at all
    of_file = re.compile(r"\b(filename|url|path|socket)\b", re.IGNORECASE)
    allowed = ffmpeg_arguments._OPTIONS
    seen = 0
    for line in said("-h", "full").splitlines():
        found = re.match(r"\s+-(\S+)\s+<(\w+)>\s+(\S+)\s*(.*)", line)
        if found and found[1] in allowed and "E" in found[3]:
            seen += 1
            assert found[2] not in ("string", "dictionary", "binary") or found[1] in texts, line
            assert not of_file.search(found[4]), line
    assert seen > 100


def test_no_filter_that_is_let_through_names_a_file_to_this_ffmpeg() -> None:
    listed = {line.split()[1] for line in said("-filters").splitlines() if len(line.split()) > 2}
    options: dict[str, str] = {}
    sections = re.split(r"^(\S.*) AVOptions:$", said("-h", "full"), flags=re.MULTILINE)[1:]
    for names, text in zip(sections[::2], sections[1::2], strict=True):
        for name in re.split(r"[/\s()]+", names):
            options[name] = options.get(name, "") + text
    for name in sorted(ffmpeg_arguments._FILTERS & listed):
        text = options.get(name) or said("-h", f"filter={name}")  # one that has no options, or those of another name
        assert not re.search(r"\bfile|filename|\burl|socket", text, re.IGNORECASE), name
    assert len(ffmpeg_arguments._FILTERS & listed) > 50


def test_formats_are_no_devices_playlists_or_addresses() -> None:
    devices = {name for line in said("-devices").splitlines() for name in line.split()[1:2]}
    several = {"dash", "fifo", "ffmetadata", "hds", "hls", "image2", "null", "rtp", "rtsp", "sap", "segment", "tee"}
    assert not FORMATS & (devices | several | {"smoothstreaming", "stream_segment", "webm_chunk", "webm_dash_manifest"})
