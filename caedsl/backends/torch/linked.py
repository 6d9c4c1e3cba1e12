"""Methods of an emitted module whose layers read named outputs, with the data flow written out."""

from collections.abc import Sequence

from caedsl.backends.torch.program import JoinKept, Keep, Link, Program
from caedsl.vocabulary.call import Call
from caedsl.vocabulary.joining import Joining

_PAD = " " * 8


def linked_methods(program: Program, about: str, noun: str, check: str) -> str:
    """Return ``encode``, ``encode_with_maps``, ``decode`` and ``forward`` as source."""
    listed = ", ".join(f'"{name}": kept["{name}"]' for name in program.maps)
    code = (
        f"\n{_written('bottleneck', program.bottleneck_links, len(program.bottleneck))}" if program.bottleneck else ""
    )
    names = ", ".join(program.maps)
    refusal = ""
    if program.maps:
        refusal = f"""{_PAD}if maps is None:
{_PAD}    raise ValueError("the decoder reads {names} of encode_with_maps besides the code")
"""
    start = "dict(maps)" if program.maps else "{}"
    return f'''    def encode(self, x: Tensor) -> Tensor:
        """Return the {about}."""
        return self.encode_with_maps(x)[0]

    def encode_with_maps(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the codes, and the maps that the decoder reads besides them."""
{check}        kept = {{}}
{_written("encoder", program.encoder_links, len(program.encoder))}{code}
        return x, {{{listed}}}

    def decode(self, x: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Return the {noun}s that codes and their maps decode to."""
{refusal}        kept = {start}
{_written("decoder", program.decoder_links, len(program.decoder))}
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(*self.encode_with_maps(x))
'''


def _written(part: str, links: Sequence[Link], count: int) -> str:
    lines: list[str] = []
    place = 0
    for link in links:
        if link.place > place:
            lines.append(f"{_PAD}x = self.{part}[{place}:{link.place}](x)")
        place = link.place
        kept = f'kept["{link.name}"]'
        match link:
            case Keep(call=None):
                lines.append(f"{_PAD}{kept} = x")
            case Keep(call=Call() as call):
                lines.append(f"{_PAD}{kept} = functional.{call.name}(x{_keywords(call)})[1]")
            case JoinKept(how=Call() as call):
                lines.append(f"{_PAD}x = functional.{call.name}(x, {kept}{_keywords(call)})")
            case JoinKept(how=Joining.BEHIND):
                lines.append(f"{_PAD}x = torch.cat((x, {kept}), dim=1)")
            case JoinKept(how=Joining.IN_FRONT):
                lines.append(f"{_PAD}x = torch.cat(({kept}, x), dim=1)")
            case JoinKept(how=Joining.INSTEAD):
                lines.append(f"{_PAD}x = {kept}")
            case JoinKept(how=Joining.SUM):
                lines.append(f"{_PAD}x = x + {kept}")
            case JoinKept(how=Joining.PRODUCT):
                lines.append(f"{_PAD}x = x * {kept}")
    if place < count:
        lines.append(f"{_PAD}x = self.{part}[{place}:{count}](x)" if place else f"{_PAD}x = self.{part}(x)")
    return "\n".join(lines)


def _keywords(call: Call) -> str:
    return "".join(f", {word}={value!r}" for word, value in call.kwargs)
