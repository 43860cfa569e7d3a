"""Make the table of docs/platforms.md: the cycles that LLVM's models of processors expect for a frame of Griffin-Lim.

``python docs/make_expected_speed.py`` prints it, ``--write`` puts it into the page. It takes an llvm-mca as new as the
LLVM of llvmlite (``apt-get install llvm-22`` on Debian); ``--llvm-mca FILE`` names it.

The kernel of the iterations is compiled for each processor. llvm-mca predicts the cycles of each of its basic blocks,
repeated alone; how often each block runs follows from the loops that the kernel was written with.
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
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum

PAGE = Path(__file__).parent / "platforms.md"
BEGIN, END = "<!-- expected speed: made by docs/make_expected_speed.py -->\n", "<!-- end -->"
N_FFT, HOP = 1024, 256
FLOPS = 2 * 2.5 * N_FFT * np.log2(N_FFT)
"""Operations by which FFTs are compared: 5 N log2 N for a complex one, half of that for a real one, two a frame."""

REPEATED = 200
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


class _WrittenError(Exception):
    """Carries the text of a kernel out of the place that would compile it."""


def source(lanes: int) -> str:
    """Return the kernel of the iterations as LLVM assembly."""
    text = Writer.source

    def take(writer: Writer) -> str:
        raise _WrittenError(text(writer))

    grid = FrameGrid.checked(np.hanning(N_FFT + 1)[:-1], hop_length=HOP, pad=N_FFT // 2, frames=200)
    magnitude = np.ones((N_FFT // 2 + 1, 200), np.float32)
    Writer.source = take
    try:
        NativeRecovery(magnitude, grid, machine=compiler.Machine("", "", lanes)).iterate(1, Momentum(0.9))
    except _WrittenError as written:
        return str(written)
    finally:
        Writer.source = text
    raise AssertionError("the kernel was not written")


def runs(text: str) -> dict[str, float]:
    """Return how often each block of a kernel runs for one block of frames.

    A count that the kernel is told, as that of the blocks, is taken as 1, and of two counts that it picks one from the
    second one, which is the usual one. The body of a condition is what only one turn of the loop around it does.
    """
    picked = dict(re.findall(r"(%\w+) = select i1 %\w+, i64 -?\d+, i64 (\d+)\n", text))
    counts = {}
    for count, name in re.findall(r"icmp slt i64 %\w+, (%?\w+)\n(?:.*phi.*\n)*\s*br i1 %\w+, label %(loop\d+),", text):
        counts[name] = float(picked.get(count, count)) if picked.get(count, count).isdigit() else 1.0
    found, around = {"entry": 0.0}, [(1.0, 1.0)]
    for label in re.findall(r"^([\w.]+):$", text, re.MULTILINE):
        total, last = around[-1]
        if re.fullmatch(r"loop\d+", label):
            around.append((total * counts[label], counts[label]))
        elif re.fullmatch(r"if\d+", label):
            around.append((total / last, 1.0))
        elif label.endswith(".done"):
            around.pop()
        found[label] = around[-1][0]
    return found


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


def cycles(text: str, processor: Processor, program: str) -> tuple[float, float]:
    """Return the instructions and the predicted cycles for one block of frames."""
    often = runs(text)
    found = [(name.split("_crit_edge")[0], lines) for name, lines in blocks(assembly(text, processor)) if lines]
    comment = "#" if processor.triple == X86 else "//"
    regions = [
        f"{comment} LLVM-MCA-BEGIN b{i}\n{chr(10).join(lines)}\n{comment} LLVM-MCA-END b{i}"
        for i, (name, lines) in enumerate(found)
        if often.get(name)
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
    for processor in PROCESSORS:
        for lanes in processor.lanes:
            instructions, expected = (figure / lanes for figure in cycles(source(lanes), processor, program))
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
