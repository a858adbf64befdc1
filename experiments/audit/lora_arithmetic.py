"""How many parameters the brief's adapter has, counted on the brief's architecture without its weights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.audit import brief

if TYPE_CHECKING:
    from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner

BYTES = 4
"""Of a parameter on disk, as float32."""


@dataclass(frozen=True)
class LoraArithmetic:
    """Parameters of ViT-GPT2 and of adapters of the brief's rank on it.

    `gpt2` is its language model without the layers that look at the photo, which are `cross_attention`;
    `whole` counts all, the image encoder included. `named` are the adapter's parameters for all targets
    that the brief names, `c_attn` for that one target alone. `c_proj_attention` and `c_proj_mlp` count the
    layers that the target c_proj matches within attention (cross-attention included) and within MLPs.
    """

    whole: int
    gpt2: int
    cross_attention: int
    named: int
    c_attn: int
    c_proj_attention: int
    c_proj_mlp: int


def lora_arithmetic() -> LoraArithmetic:
    """Build the architecture on the meta device, put the adapters on it as stage `lora` does, and count."""
    from experiments.captioning import adapter

    captioner = _captioner()
    sizes = {name: part.numel() for name, part in captioner.network.named_parameters()}
    decoder = {name: size for name, size in sizes.items() if name.startswith("decoder.")}
    cross = sum(size for name, size in decoder.items() if "crossattention" in name or "cross_attn" in name)
    projections = adapter.matching_layers(captioner, ("c_proj",))
    in_mlp = sum(name.endswith("mlp.c_proj") for name in projections)
    return LoraArithmetic(
        whole=sum(sizes.values()),
        gpt2=sum(decoder.values()) - cross,
        cross_attention=cross,
        named=_trainable(brief.TARGETS),
        c_attn=_trainable(brief.TARGETS[:1]),
        c_proj_attention=len(projections) - in_mlp,
        c_proj_mlp=in_mlp,
    )


def _captioner() -> "EncoderDecoderCaptioner":
    """Return the brief's captioner as shapes alone: it can be counted and adapted, but writes nothing."""
    from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner
    from experiments.captioning.captioners.untrained import vit_gpt2_on_meta

    network: Any = vit_gpt2_on_meta()
    return EncoderDecoderCaptioner(
        model=brief.CAPTIONER,
        weights=(),
        network=network,
        tower=network.encoder,
        processor=None,
        tokenizer=None,
        start=0,
        ends=(0,),
        pad=0,
        precision="fp32",
    )


def _trainable(targets: tuple[str, ...]) -> int:
    """Count the parameters of an adapter of the brief's rank on these targets."""
    from experiments.captioning import adapter

    adapted = adapter.with_adapter(
        _captioner(), r=brief.RANK, alpha=2 * brief.RANK, dropout=0.0, targets=targets, seed=0
    )
    return adapter.counts(adapted.network)[0]
