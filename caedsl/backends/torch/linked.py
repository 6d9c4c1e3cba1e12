"""Methods of an emitted module whose layers read named outputs, with the data flow written out."""

from collections.abc import Sequence

from caedsl.backends.torch.lower import KEEP, Link, Program

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
{_PAD}    raise ValueError("the decoder reads {names} of encode_with_maps beside the code")
"""
    start = "dict(maps)" if program.maps else "{}"
    return f'''    def encode(self, x: Tensor) -> Tensor:
        """Return the {about}."""
        return self.encode_with_maps(x)[0]

    def encode_with_maps(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the codes, and the maps that the decoder reads beside them."""
{check}        kept = {{}}
{_written("encoder", program.encoder_links, len(program.encoder))}{code}
        return x, {{{listed}}}

    def decode(self, x: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Return the {noun}s that codes and their maps stand for."""
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
        words = "" if link.call is None else "".join(f", {word}={value!r}" for word, value in link.call.kwargs)
        match link.how:
            case _ if link.call is not None and link.how == KEEP:
                lines.append(f'{_PAD}kept["{link.name}"] = functional.{link.call.name}(x{words})[1]')
            case _ if link.call is not None:
                lines.append(f'{_PAD}x = functional.{link.call.name}(x, kept["{link.name}"]{words})')
            case "keep":
                lines.append(f'{_PAD}kept["{link.name}"] = x')
            case "concat":
                lines.append(f'{_PAD}x = torch.cat((x, kept["{link.name}"]), dim=1)')
            case "concat_first":
                lines.append(f'{_PAD}x = torch.cat((kept["{link.name}"], x), dim=1)')
            case "from":
                lines.append(f'{_PAD}x = kept["{link.name}"]')
            case _:
                lines.append(f'{_PAD}x = x + kept["{link.name}"]')
    if place < count:
        lines.append(f"{_PAD}x = self.{part}[{place}:{count}](x)" if place else f"{_PAD}x = self.{part}(x)")
    return "\n".join(lines)
