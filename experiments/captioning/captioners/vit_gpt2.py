"""The architecture of ``nlpconnect/vit-gpt2-image-captioning``, without its weights."""

from typing import TYPE_CHECKING

import torch

from experiments.models.transformers_library import prepare_transformers

if TYPE_CHECKING:
    from transformers import VisionEncoderDecoderModel


def vit_gpt2_on_meta() -> "VisionEncoderDecoderModel":
    """Build ViT-B/16 and GPT-2 with cross-attention on the meta device: shapes without memory.

    Its parameters, and those of an adapter put on it, can be counted without a download.
    """
    prepare_transformers()
    from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(), GPT2Config(add_cross_attention=True)
    )
    with torch.device("meta"):
        return VisionEncoderDecoderModel(config)
