"""Encoder-decoders without trained weights: a tiny one with random weights, and ViT-GPT2 without any."""

from typing import TYPE_CHECKING, Any

import torch

from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner, assembled
from experiments.config.captioner import RandomCaptionerConfig
from experiments.models.libraries import prepare_transformers
from experiments.models.precision import chosen
from experiments.models.seeding import seeded

if TYPE_CHECKING:
    from transformers import VisionEncoderDecoderModel


def random_encoder_decoder(config: RandomCaptionerConfig) -> EncoderDecoderCaptioner:
    """Build a tiny ViT and GPT-2 that spell captions byte by byte, a function of the seed alone."""
    prepare_transformers()
    from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    tokenizer = _byte_tokenizer()
    end = tokenizer.eos_token_id
    architecture = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(
            image_size=32,
            patch_size=8,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            initializer_range=0.4,  # twenty times the usual, or all photos would look the same
        ),
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=512,
            n_embd=32,
            n_layer=2,
            n_head=2,
            resid_pdrop=0.0,  # several processes would each draw their own
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            add_cross_attention=True,
            initializer_range=0.4,  # likewise, or it would end every caption at once
            bos_token_id=end,
            eos_token_id=end,
        ),
    )
    with seeded(config.seed):
        network = VisionEncoderDecoderModel(architecture)
    return assembled(
        model="Random encoder-decoder",
        weights=(),
        network=network,
        processor=ViTImageProcessorPil(size={"height": 32, "width": 32}),
        tokenizer=tokenizer,
        start=end,
        ends=(end,),
        pad=end,
        precision=chosen(config.precision),
    )


def vit_gpt2_on_meta() -> "VisionEncoderDecoderModel":
    """Build the architecture of ``nlpconnect/vit-gpt2-image-captioning`` on the meta device: without memory.

    It is ViT-B/16 and GPT-2 with cross-attention. Its parameters, and those of an adapter put on it, can be
    counted without a download.
    """
    prepare_transformers()
    from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(), GPT2Config(add_cross_attention=True)
    )
    with torch.device("meta"):
        return VisionEncoderDecoderModel(config)


def _byte_tokenizer() -> Any:
    """Return GPT-2's tokenizer without its merges: one token a byte, and one that begins, ends and pads."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    end = "<|endoftext|>"
    letters = [*sorted(pre_tokenizers.ByteLevel.alphabet()), end]
    tokenizer = Tokenizer(models.BPE({letter: code for code, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=end, eos_token=end, pad_token=end, unk_token=end
    )
