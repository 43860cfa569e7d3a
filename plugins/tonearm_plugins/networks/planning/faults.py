"""Faults of a network: why it cannot work with the signal and the options, all of one network in one error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tonearm.api import OptionError, Remedy, SetOption
from tonearm_plugins.networks.plan import NetworkHeader
from tonearm_plugins.networks.planning.signature import signature_of


class Fault(Struct, frozen=True):
    """One reason why a network cannot work.

    Parameters
    ----------
    message
        What is wrong.
    code
        Stable identifier.
    option
        Name of the option to point at.
    remedies
        What to do about it.
    """

    message: str
    code: str
    option: str
    remedies: tuple[Remedy, ...]


class Faults:
    """Faults of a network, collected.

    Parameters
    ----------
    inputs, outputs
        Roles and values of inputs, and roles of outputs, that the options give.
    """

    def __init__(self, inputs: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
        self.found: list[Fault] = []
        self._given = {"inputs": inputs, "outputs": outputs}
        self._lacking: dict[str, dict[str, Any]] = {"inputs": {}, "outputs": {}}

    def add(self, message: str, *remedies: Remedy, code: str = "bad-model", option: str = "model") -> None:
        """Add a fault."""
        self.found.append(Fault(message, code, option, remedies))

    def propose(self, option: str, lacking: Mapping[str, Any]) -> None:
        """Add entries to the line to write for ``inputs`` or ``outputs``, which a fault of the other asks for."""
        self._lacking[option].update(lacking)

    def ask(self, message: str, option: str, lacking: Mapping[str, Any], *remedies: Remedy) -> None:
        """Add a fault that entries in ``inputs`` or ``outputs`` mend; those of all faults become one line to write."""
        self._lacking[option].update(lacking)
        self.add(message, *remedies, code="unclear-model", option=option)

    def check(self, header: NetworkHeader) -> None:
        """Raise `OptionError` if there is a fault; its message ends with what the network takes and gives."""
        if not self.found:
            return
        lines = [(option, {**self._given[option], **lacking}) for option, lacking in self._lacking.items() if lacking]
        line = [SetOption(*lines[0], also=dict(lines[1:]))] if lines else []  # each alone would mend half
        others = (remedy for fault in self.found for remedy in fault.remedies)
        messages = dict.fromkeys(fault.message for fault in self.found)
        options = {fault.option for fault in self.found}
        raise OptionError(
            f"{'; '.join(messages)}: {signature_of(header)}",
            option=options.pop() if len(options) == 1 else "model",
            code=self.found[0].code,
            remedies=(*line, *others),
        )
