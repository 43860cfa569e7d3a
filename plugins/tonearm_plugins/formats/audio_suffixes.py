"""Suffixes of audio files. This module imports nothing, because they are needed before a decoder is chosen."""

# fmt: off
AUDIO_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64", ".rf64",
    # those of libsndfile that are rare, and of its MPEG audio
    ".bwf", ".mp1", ".mp2", ".snd", ".voc",
    # those that need PyAV or ffmpeg
    ".3gp", ".aac", ".ac3", ".adx", ".amr", ".ape", ".aptx", ".asf", ".avi", ".dff", ".dsf", ".dts", ".eac3",
    ".flv", ".g722", ".gsm", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mmf", ".mov", ".mp4", ".mpc", ".mxf", ".nut",
    ".oma", ".ra", ".sbc", ".shn", ".spx", ".tak", ".thd", ".tta", ".webm", ".wma", ".wv",
)
"""Suffixes that ``audio-reader`` reads."""
# fmt: on
