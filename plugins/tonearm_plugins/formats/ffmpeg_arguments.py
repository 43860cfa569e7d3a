"""Arguments and formats of ffmpeg that read and write no other files than the one output."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FORMATS = _words(
    "3g2 3gp ac3 adts adx aiff alaw amr aptx aptx_hd asf asf_stream au avi caf codec2 codec2raw daud dfpwm dts eac3"
    " f32be f32le f4v f64be f64le flac flv g722 g723_1 g726 g726le gsm ilbc ipod ircam ismv latm matroska mlp mmf mov"
    " mp2 mp3 mp4 mpeg mpegts mulaw mxf nut oga ogg oma opus psp rm rso s16be s16le s24be s24le s32be s32le s8 sbc sox"
    " spdif spx swf truehd tta u16be u16le u24be u24le u32be u32le u8 vidc vob voc w64 wav webm wsaud wtv wv"
)
"""Formats that are one file of sound, by ffmpeg's names. Playlists, segments, devices and addresses are none."""

_FLAGS = _words("bitexact copyts dn shortest sn vn")

_OPTIONS = _words(
    # ffmpeg's own, for one output
    "ab ac aframes aq ar b channel_layout ch_layout disposition frames fs metadata q qscale sample_fmt ss t tag to"
    # encoders
    " aac_coder aac_is aac_ltp aac_ms aac_pce aac_pns aac_pred aac_tns abr ad_conv_type afterburner"
    " application apply_phase_inv b_delay block_size bufsize center_mixlev ch_mode channel_coupling compression_level"
    " copyright cpl_start_band cutoff dialnorm dmix_mode dsur_mode dsurex_mode dheadphone_mode eld_sbr eld_v2"
    " energy_levels error_protection exact_rice_parameters fec flags flags2 frame_duration frame_size global_quality"
    " iblock joint_stereo latm level lfe_phase_inv loro_cmixlev loro_surmixlev lpc_coeff_precision lpc_passes lpc_type"
    " ltrt_cmixlev ltrt_surmixlev mapping_family max_extra_cb max_interval max_partition_order max_prediction_order"
    " maxrate min_partition_order min_prediction_order minrate mixing_level mode msbc multi_dim_quant optimize_mono"
    " original packet_loss per_frame_metadata prediction_order_method profile psymodel rematrix reservoir room_type"
    " sbc_delay signaling stereo_rematrixing strict surround_mixlev threads trellis vbr"
    # formats
    " audio_preload avoid_negative_ts brand cluster_size_limit cluster_time_limit cues_to_front dash empty_hdlr_name"
    " fflags flush_packets frag_duration frag_size id3v2_version live max_delay max_interleave_delta"
    " metadata_header_padding min_frag_duration moov_size movflags movie_timescale mpegts_flags mpegts_service_type"
    " muxrate output_ts_offset page_duration pagesize pes_payload_size reserve_index_space rf64 serial_offset"
    " use_editlist write_apetag write_bext write_crc32 write_id3v1 write_id3v2 write_peak write_xing"
)

MAX_THREADS = 64
"""Largest number of threads that ``-threads`` can ask for."""

_FILTER_OPTIONS = frozenset({"af", "filter"})

# Filters that read and write nothing, and whose sound ends. A value can be a list of them, with no quotes or labels.
_FILTERS = _words(
    "acompressor acontrast acrusher adeclick adeclip adecorrelate adelay adenorm aecho aemphasis aexciter afade afftdn"
    " afreqshift agate alimiter allpass anlmdn aphaser aphaseshift apulsator aresample areverse asetnsamples asetrate"
    " asoftclip asubboost asubcut asupercut asuperpass asuperstop atempo atrim bandpass bandreject bass bs2b"
    " channelmap chorus compand compensationdelay crossfeed crystalizer dcshift deesser dialoguenhance dynaudnorm"
    " earwax equalizer extrastereo flanger haas hdcd highpass highshelf lowpass lowshelf mcompand pan rubberband"
    " silenceremove speechnorm stereotools stereowiden superequalizer tiltshelf treble tremolo vibrato virtualbass"
    " volume aformat anull"
)
_FILTER = re.compile(r"\s*([a-z0-9_]+)\s*(?:=[^/\\'\"\[\];,]*)?")
_ARGUMENT = re.compile(r"-([A-Za-z][A-Za-z0-9_-]*)(?::[a-z0-9:]*)?")


def argument_problem(arguments: Sequence[str]) -> str:
    """Return the reason why arguments could do more than write their output; an empty text if they cannot.

    Parameters
    ----------
    arguments
        Options of ffmpeg for one output, each followed by its value, as ``["-compression_level", "10"]``.
    """
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        found = _ARGUMENT.fullmatch(argument)
        if found is None:
            return f"{argument!r} is not an option, so ffmpeg would write a file of that name"
        name = found[1]
        if name in _FLAGS:
            position += 1
            continue
        if name not in _OPTIONS | _FILTER_OPTIONS:
            return f"{argument!r} is not one of the options that read and write no other files"
        if position + 1 == len(arguments):
            return f"{argument!r} has no value, so ffmpeg would take the next argument for it"
        value = arguments[position + 1]
        problem = _filter_problem(value) if name in _FILTER_OPTIONS else ""
        if name == "threads" and not (value.isdecimal() and int(value[:9]) <= MAX_THREADS):
            problem = f"{value!r} is not a number of threads up to {MAX_THREADS}"
        if problem:
            return problem
        position += 2
    return ""


def _filter_problem(graph: str) -> str:
    """Return the reason why a graph of filters could read or write files; an empty text if it cannot."""
    for text in graph.split(","):
        found = _FILTER.fullmatch(text)
        if found is None:
            return f"{text!r} is not a plain filter: quotes, labels, slashes and backslashes are not taken"
        if found[1] not in _FILTERS:
            return f"{found[1]!r} is not one of the filters that read and write no files"
    return ""
