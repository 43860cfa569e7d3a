"""Make the table of docs/platforms.md: the cycles that LLVM's models of processors expect for a frame of Griffin-Lim.

``python docs/make_expected_speed.py`` prints it, ``--write`` puts it into the page. It takes an llvm-mca as new as the
LLVM of llvmlite (``apt-get install llvm-22`` on Debian); ``--llvm-mca FILE`` names it.

The kernel of the iterations is compiled for each processor. llvm-mca predicts the cycles of each of its basic blocks,
repeated alone; how often each block runs is counted in a run on this machine.
"""

import argparse
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from llvmlite import binding

from tonearm_plugins.dsp.engines.native import compiler
from tonearm_plugins.dsp.engines.native.llvm_writer import Writer
from tonearm_plugins.dsp.engines.native.recovery import NativeRecovery
from tonearm_plugins.dsp.framing import FrameGrid

PAGE = Path(__file__).parent / "platforms.md"
BEGIN, END = "<!-- expected speed: made by docs/make_expected_speed.py -->\n", "<!-- end -->"
N_FFT, HOP = 1024, 256
FLOPS = 2 * 2.5 * N_FFT * np.log2(N_FFT)
"""Operations by which FFTs are compared: 5 N log2 N for a complex one, half of that for a real one, two a frame."""

REPEATED = 200
"""Times that llvm-mca repeats a block."""

FRAMES = 512
"""Frames of the run that counts blocks."""

RARE = 1 / 100
"""Runs for one frame up to which a block does not matter."""

X86 = "x86_64-unknown-linux-gnu"
ARM = "aarch64-unknown-linux-gnu"


@dataclass(frozen=True)
class Processor:
    """A processor that LLVM has a model of."""

    name: str
    cpu: str
    triple: str
    gigahertz: float
    lanes: tuple[int, ...]


PROCESSORS = (
    Processor("Zen 5 (EPYC 9005)", "znver5", X86, 4.1, (16, 8)),
    Processor("Zen 4 (EPYC 9004)", "znver4", X86, 3.7, (16, 8)),
    Processor("Neoverse N1 (Graviton 2, Ampere Altra)", "neoverse-n1", ARM, 2.5, (4, 8, 16)),
    Processor("Neoverse V1 (Graviton 3)", "neoverse-v1", ARM, 2.6, (4, 8, 16)),
    Processor("Neoverse V2 (Graviton 4, Grace)", "neoverse-v2", ARM, 2.8, (4, 8, 16)),
    Processor("Apple M1", "apple-m1", ARM, 3.2, (4, 8, 16)),
)
"""The first one is what the others are compared with. Clocks are those of the vendors' servers at full load."""


def written_and_counted(lanes: int) -> tuple[str, dict[str, float]]:
    """Return the kernel of the iterations as LLVM assembly, and how often each block runs for one frame.

    It runs here, with a counter in each of its blocks.
    """
    grid = FrameGrid.checked(np.hanning(N_FFT + 1)[:-1], hop_length=HOP, pad=N_FFT // 2, frames=FRAMES)
    magnitude = np.ones((N_FFT // 2 + 1, FRAMES), np.float32)
    here = compiler.this_machine()
    kernels, plain = list[tuple[str, np.ndarray]](), Writer.source

    def counting(writer: Writer) -> str:
        text = plain(writer)
        counts = np.zeros(text.count(":\n"), np.int64)
        kernels.append((text, counts))
        return with_counters(text, counts.ctypes.data)

    Writer.source = counting
    try:
        compiler.forget()
        machine = compiler.Machine(here.cpu, here.features, lanes)
        NativeRecovery(magnitude, grid, machine=machine).start_from_noise(0)
    finally:
        Writer.source = plain
        compiler.forget()
    ((text, counts),) = (kernel for kernel in kernels if "i64 %iterations" in kernel[0])
    return text, dict(zip(labels(text), counts / FRAMES, strict=True))


def labels(text: str) -> list[str]:
    """Return the names of the blocks of a kernel."""
    return re.findall(r"^([\w.]+):$", text, re.MULTILINE)


def with_counters(text: str, address: int) -> str:
    """Return a kernel that adds 1 to a number in memory whenever it enters a block, behind the phi instructions."""
    parts = re.split(r"(^[\w.]+:\n(?:.* = phi .*\n)*)", text, flags=re.MULTILINE)
    for i in range(1, len(parts), 2):
        at = f"ptr inttoptr (i64 {address + 8 * (i // 2)} to ptr)"
        parts[i] += f"  %n{i} = load i64, {at}\n  %m{i} = add i64 %n{i}, 1\n  store i64 %m{i}, {at}\n"
    return "".join(parts)


def assembly(text: str, processor: Processor) -> str:
    """Return the kernel as assembly of a processor, with the names of its blocks as comments."""
    target = binding.Target.from_triple(processor.triple)
    features = compiler.ARM64_FEATURES if processor.triple == ARM else ""
    machine = target.create_target_machine(cpu=processor.cpu, features=features, opt=2)
    machine.set_asm_verbosity(True)
    module = binding.parse_assembly(text)
    module.triple = processor.triple
    return str(machine.emit_assembly(module))


def blocks(code: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each basic block, and its instructions."""
    name, instructions = "entry", list[str]()
    for line in code.splitlines():
        if label := re.match(r"(?:\.LBB\d+_\d+:|\s*(?:#|//) %bb\.\d+:).*?(?:#|//) %([\w.]+)", line):
            yield name, instructions
            name, instructions = label[1], []
        elif re.match(r"\s+[a-z]", line):
            instructions.append(line)
    yield name, instructions


def cycles(text: str, often: dict[str, float], processor: Processor, program: str) -> tuple[float, float]:
    """Return the instructions and the predicted cycles for one frame."""
    found = [(name.split("_crit_edge")[0], lines) for name, lines in blocks(assembly(text, processor)) if lines]
    comment = "#" if processor.triple == X86 else "//"
    regions = [
        f"{comment} LLVM-MCA-BEGIN b{i}\n{chr(10).join(lines)}\n{comment} LLVM-MCA-END b{i}"
        for i, (name, lines) in enumerate(found)
        if often.get(name, 0) > RARE
    ]
    command = (program, f"-mtriple={processor.triple}", f"-mcpu={processor.cpu}", f"-iterations={REPEATED}")
    done = subprocess.run(  # noqa: S603 - the user named it
        [*command, "-instruction-info=0", "-resource-pressure=0"],
        input="\n".join(regions) + "\n", text=True, capture_output=True, check=True,
    )  # fmt: skip
    pattern = r"Code Region - b(\d+)\s+Iterations:.*\nInstructions:\s+(\d+)\nTotal Cycles:\s+(\d+)"
    total = np.zeros(2)
    for i, *figures in re.findall(pattern, done.stdout):
        total += often[found[int(i)][0]] * np.array(figures, float) / REPEATED
    return float(total[0]), float(total[1])


def table(program: str) -> str:
    """Return the table in Markdown."""
    rows, first = [], 0.0
    kernels = {lanes: written_and_counted(lanes) for lanes in (4, 8, 16)}
    for processor in PROCESSORS:
        for lanes in processor.lanes:
            instructions, expected = cycles(*kernels[lanes], processor, program)
            speed = processor.gigahertz / expected
            first = first or speed
            rows.append(
                f"| {processor.name} | {lanes} | {instructions:.0f} | {expected:.0f} | {FLOPS / expected:.1f} "
                f"| {processor.gigahertz:g} | {speed / first:.2f} |\n"
            )
    head = "| processor | lanes | instructions a frame | cycles a frame | FLOP a cycle | GHz | speed |\n"
    return head + "| --- | --- | --- | --- | --- | --- | --- |\n" + "".join(rows)


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llvm-mca", metavar="FILE", default="llvm-mca", help="program that predicts (llvm-mca)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/platforms.md")
    options = parser.parse_args()
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    made = table(options.llvm_mca)
    print(made)
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(before + BEGIN + "\n" + made + "\n" + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
