"""Text from data as a drawing or a page can show it: what cannot be seen in it becomes a mark."""

import re

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Control characters and what is no character: an SVG is XML, which has none of them."""
_DIRECTIONS = str.maketrans(
    {
        "\N{LEFT-TO-RIGHT EMBEDDING}": "‹LRE›",
        "\N{RIGHT-TO-LEFT EMBEDDING}": "‹RLE›",
        "\N{POP DIRECTIONAL FORMATTING}": "‹PDF›",
        "\N{LEFT-TO-RIGHT OVERRIDE}": "‹LRO›",
        "\N{RIGHT-TO-LEFT OVERRIDE}": "‹RLO›",
        "\N{LEFT-TO-RIGHT ISOLATE}": "‹LRI›",
        "\N{RIGHT-TO-LEFT ISOLATE}": "‹RLI›",
        "\N{FIRST STRONG ISOLATE}": "‹FSI›",
        "\N{POP DIRECTIONAL ISOLATE}": "‹PDI›",
    }
)
"""What turns letters round, or ends that, by the short names that Unicode gives it."""


def readable(text: str) -> str:
    """Return text in which a control character is ``�``, and a control of direction its name: ``‹RLO›``."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text).translate(_DIRECTIONS)
