"""Captioners that are a VisionEncoderDecoder of transformers, such as ViT-GPT2."""

import copy
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.captioning.captioners.captioner import cross_entropy, evaluating, read, tokenise
from experiments.captioning.captioners.model_folder import (
    BESIDE_WEIGHTS,
    decoder_starts,
    licence,
    missing,
    repository,
    sha256,
    special_tokens,
    unfit,
    weights_of,
)
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.tuning import GenerationConfig
from experiments.models import hub
from experiments.models.feature_store import fingerprint
from experiments.models.libraries import prepare_transformers
from experiments.models.precision import autocast, best_device, chosen
from experiments.models.sanity import not_finite, two_pictures
from experiments.models.seeding import seeded
from experiments.models.weights_file import read_tensors
from experiments.results.caption import Caption
from experiments.results.classification import Precision
from experiments.results.source import Source
from pipeline.errors import UserError, reason

PHOTOS = 32  # encoded at once
CAPTIONS = 100  # written at once

_UNMADE = 0.02
"""The most that a sound vocabulary has, as a share, of tokens that no merge makes."""
_BYTE = re.compile("<0x[0-9A-F]{2}>")

_UNUSED = re.compile(
    r"^encoder\.pooler\."  # sums a photo up in one vector; captions are written from all features
    r"|\.(?:attn|crossattention)\.(?:masked_)?bias$"  # GPT-2's causal mask, once saved with the weights
)


@dataclass(frozen=True)
class EncoderDecoderCaptioner:
    """A `Captioner` around a VisionEncoderDecoder.

    `network` is the whole model or PEFT's wrapper around it, `tower` its image encoder: the same tensors in
    modules of their own, which a wrapper around `network` cannot reach. `start` is the token with which
    every caption begins unseen, `ends` are those that end one, `pad` fills up what ended before others. Both
    networks compute at `precision`.
    """

    model: str
    weights: tuple[Source, ...]
    network: Any
    tower: nn.Module
    processor: Any
    tokenizer: Any
    start: int
    ends: tuple[int, ...]
    pad: int
    precision: Precision

    @property
    def stores_transposed(self) -> bool:
        """Return whether there are GPT-2's Conv1D layers in the network."""
        from transformers.pytorch_utils import Conv1D

        return any(isinstance(module, Conv1D) for module in self.network.modules())

    @property
    def device(self) -> torch.device:
        """Return where the weights are."""
        return next(self.network.parameters()).device

    def image_fingerprint(self) -> str:
        """Return a hash of the encoder's structure and tensors, the preprocessing and the precision."""
        tower: Any = self.tower
        return fingerprint(tower, tower.config, self.processor, self.precision)

    def parameters(self) -> int:
        """Count the parameters of the network, the encoder's and an adapter's included."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def encode(self, photos: Sequence[np.ndarray]) -> Tensor:
        """Return the last hidden state of the image encoder, as the decoder's cross-attention reads it."""
        # Joined outside of inference mode: training cannot go back through tensors made within it.
        return torch.cat([self._encode(photos[at : at + PHOTOS]) for at in range(0, len(photos), PHOTOS)])

    @torch.inference_mode()
    def _encode(self, photos: Sequence[np.ndarray]) -> Tensor:
        # The layout is said because a photo three pixels high or wide would be taken for another one.
        pixels = self.processor(list(photos), return_tensors="pt", input_data_format="channels_last")
        with autocast(self.precision, self.device):
            hidden = self.tower(pixel_values=pixels["pixel_values"].to(self.device)).last_hidden_state
        return hidden.float().cpu()

    def logits(self, features: Tensor, captions: Sequence[str]) -> Tensor:
        """Predict each token of the true caption from all that come before it."""
        return self._logits(features, self._tokenise(captions)[0])

    def loss(self, features: Tensor, captions: Sequence[str]) -> Tensor:
        """Return the mean cross-entropy under `logits`, padding known by its place, not by its token."""
        tokens, mask = self._tokenise(captions)
        return cross_entropy(self._logits(features, tokens), tokens, mask)

    def _tokenise(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        tokens, mask = tokenise(self.tokenizer, captions)
        self._require_room(tokens.shape[1])
        return tokens.to(self.device), mask.to(self.device)

    def _logits(self, features: Tensor, tokens: Tensor) -> Tensor:
        before = torch.cat([torch.full_like(tokens[:, :1], self.start), tokens[:, :-1]], dim=1)
        with autocast(self.precision, self.device):
            # Padding stands at the end, where no token that counts can see it: no attention mask is needed.
            return self.network(
                encoder_outputs=self._encoder_outputs(features), decoder_input_ids=before, use_cache=False
            ).logits

    def generate(self, features: Tensor, config: GenerationConfig) -> list[Caption]:
        """Write captions by beam search with nothing but `config` to steer it."""
        self._require_room(config.max_new_tokens)
        with evaluating(self.network):
            return [
                caption for batch in features.split(CAPTIONS) if len(batch)
                for caption in self._generate(batch, config)
            ]  # fmt: skip

    @torch.inference_mode()
    def _generate(self, features: Tensor, config: GenerationConfig) -> list[Caption]:
        with autocast(self.precision, self.device):
            tokens = self.network.generate(
                encoder_outputs=self._encoder_outputs(features),
                attention_mask=torch.ones(features.shape[:2], dtype=torch.long, device=self.device),
                generation_config=self._rules(config),
            )
        return read(self.tokenizer, tokens[:, 1:], self.ends)  # the first is `start`

    def _rules(self, config: GenerationConfig) -> Any:
        from transformers import GenerationConfig

        return GenerationConfig(
            max_new_tokens=config.max_new_tokens,
            num_beams=config.beams,
            do_sample=False,
            early_stopping=False,
            length_penalty=1.0,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            min_length=0,
            num_return_sequences=1,
            return_dict_in_generate=False,
            use_cache=True,
            decoder_start_token_id=self.start,
            bos_token_id=self.start,
            eos_token_id=list(self.ends),
            pad_token_id=self.pad,
        )

    def _encoder_outputs(self, features: Tensor) -> Any:
        from transformers.modeling_outputs import BaseModelOutput

        # A network with another width than its encoder's projects these itself, in loss and generation alike.
        return BaseModelOutput(last_hidden_state=features.to(self.device))  # pyright: ignore[reportArgumentType]

    def _require_room(self, length: int) -> None:
        """Check that the decoder has positions for `length` tokens: it would fail with an index error."""
        limit = _room(self.network)
        if limit is not None and length > limit:
            raise UserError(
                f"{self.model} has room for {limit} tokens a caption, but {length} are wanted; "
                "shorten the captions or lower max_new_tokens."
            )


def load_encoder_decoder(config: EncoderDecoderConfig, root: Path) -> EncoderDecoderCaptioner:
    """Load a captioner from a local folder, a path from `root`, or from the hub's cache or the hub.

    Its decoder may be of any kind that reads tokens from left to right. A caption ends with its tokenizer's
    end of sequence or, where that has none, as BERT's, with the token that separates sentences.

    Raises:
        UserError: if it is out of reach, incomplete, or no VisionEncoderDecoder, if the checkpoint does
            not fill the whole architecture, which transformers would fill up with random weights, or if
            nothing says how a caption begins and ends.
    """
    if sentence := missing(config, root, hub.unreachable):
        raise UserError(sentence)
    prepare_transformers()
    from transformers import (
        AutoImageProcessor,
        AutoTokenizer,
        GenerationConfig,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
    )

    folder = root / config.local if config.local else _from_hub(config)
    name = folder.resolve().name if config.local else config.model
    if sentence := unfit(name, folder):
        raise UserError(sentence)
    tensors = {key: tensor for file in weights_of(folder) for key, tensor in read_tensors(file).items()}
    try:
        with seeded(0):  # for weights that are missing and replaced by random ones
            loaded: Any = VisionEncoderDecoderModel.from_pretrained(
                None,
                config=VisionEncoderDecoderConfig.from_pretrained(
                    folder, is_encoder_decoder=True, local_files_only=True
                ),
                state_dict=tensors,  # rather than its files, which transformers reads in fewer forms
                dtype=torch.float32,
                # What generate() is not told it takes from here: without this, the checkpoint's own limits,
                # penalties and banned words.
                generation_config=GenerationConfig(),
                output_loading_info=True,
                local_files_only=True,
            )
        # Pillow resizes as when these models were trained, whether or not torchvision is there.
        processor = AutoImageProcessor.from_pretrained(
            folder, backend="pil", trust_remote_code=False, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except UserError:
        raise
    except Exception as error:  # whatever a damaged or foreign file makes transformers raise
        raise UserError(
            f"transformers could not load {name}: {reason(error)}; get its files anew."
        ) from error
    network, report = loaded
    _require_all_weights(name, report)
    _require_vocabulary(name, network, tokenizer)
    marks = _marks(name, folder, network, tokenizer)
    source = Source(
        name=f"local folder {name}" if config.local else name,
        revision=None if config.local else folder.name,
        sha256=sha256(folder),
        licence=licence(folder),
        url=None if config.local else f"{hub.ADDRESS}/{name}",
    )
    captioner = assembled(
        model=name,
        weights=(source,),
        network=network,
        processor=processor,
        tokenizer=tokenizer,
        **marks,
        precision=chosen(config.precision),
    )
    _require_sight(captioner)
    return captioner


def assembled(*, network: Any, **rest: Any) -> EncoderDecoderCaptioner:
    """Put a captioner together on the best device, with a frozen tower."""
    network.eval().to(best_device())
    network.encoder.requires_grad_(False)
    return EncoderDecoderCaptioner(network=network, tower=_same_weights(network.encoder), **rest)


def _same_weights(module: nn.Module) -> nn.Module:
    """Return a copy of `module` in other objects around the same tensors, in no memory of its own."""
    return copy.deepcopy(module, {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())})


def _from_hub(config: EncoderDecoderConfig) -> Path:
    """Return the folder in the hub's cache with the config's model, fetched if it is not there."""
    return hub.snapshot(
        repository(config),
        # Old checkpoints have no safetensors; where both are there, only these are fetched.
        attempts=[(*BESIDE_WEIGHTS, "model*.safetensors"), (*BESIDE_WEIGHTS, "pytorch_model*.bin")],
    )


def _require_all_weights(name: str, report: Any) -> None:
    """Check that checkpoint and architecture hold the same tensors, but for those that change nothing."""
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        found = sorted(key for key in map(str, report[what]) if not _UNUSED.search(key))
        if found:
            raise UserError(
                f"The checkpoint of {name} does not fit its config.json: {len(found)} "
                f"{what.replace('_', ' ')}, such as {found[0]}; get its files anew."
            )


def _require_vocabulary(name: str, network: Any, tokenizer: Any) -> None:
    """Check that the decoder knows each token that the tokenizer can write, and that this can write most.

    The one would fail, later; of a damaged vocabulary transformers says nothing, and takes texts for empty,
    and of lost merges neither, and spells them letter by letter.
    """
    known, tokens = network.decoder.get_input_embeddings().num_embeddings, tokenizer.get_vocab()
    if 2 * len(tokens) < known:
        raise UserError(
            f"The tokenizer of {name} has {len(tokens):,} tokens, but the decoder knows {known:,}: get its "
            "files anew."
        )
    most = max(tokens.values())
    if most >= known:
        raise UserError(
            f"The tokenizer of {name} is another model's: it has {most + 1:,} tokens, but the decoder knows "
            f"{known:,}; get its files anew."
        )
    if sentence := _unmerged(name, tokenizer):
        raise UserError(sentence)


def _unmerged(name: str, tokenizer: Any) -> str | None:
    """Say that a byte-pair encoding has not got the merges that make its tokens, None if it has nearly all.

    Some vocabularies have a few tokens that nothing makes, as RoBERTa's "madeupword0000".
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    described = json.loads(backend.to_str()) if backend is not None else {"model": {"type": None}}  # type: Any
    model = described["model"]
    if model.get("type") != "BPE":
        return None
    pairs = (merge if isinstance(merge, list) else merge.split(" ", 1) for merge in model["merges"])
    made = {"".join(pair) for pair in pairs}
    added = {token["content"] for token in described["added_tokens"]}
    longer = [token for token in model["vocab"] if len(token) > 1 and token not in added]
    lost = sum(token not in made and not _BYTE.fullmatch(token) for token in longer)
    if lost <= _UNMADE * len(longer):
        return None
    return (
        f"The tokenizer of {name} has {len(longer):,} tokens of several letters, of which its merges "
        f"make {len(longer) - lost:,}: get its merges.txt or tokenizer.json anew."
    )


def _marks(name: str, folder: Path, network: Any, tokenizer: Any) -> dict[str, Any]:
    """Return the tokens that begin, end and fill up captions, and let the tokenizer end texts by one of them.

    They are those that transformers' `generate` takes. What these leave open, where `generate` would fail or
    never end, other files tell, the tokenizer's last; so they do for an end that the vocabulary has not.

    Raises:
        UserError: if nothing says how a caption begins or ends, or if what says it names no token.
    """
    said, size = special_tokens(folder), network.decoder.get_input_embeddings().num_embeddings

    def known(*tokens: int | None) -> list[int]:
        return [token for token in tokens if token is not None and 0 <= token < size]

    ends = known(*said["eos"]) or known(tokenizer.eos_token_id, tokenizer.sep_token_id)[:1]
    if not ends:
        raise UserError(
            f"{name} does not say how a caption ends: add eos_token to its tokenizer_config.json."
        )
    for told in decoder_starts(folder):
        if type(told) is not int or not known(told):
            raise UserError(
                f"{name} says that a caption begins with the token {told!r}, which is none of its decoder's "
                f"{size:,}: mend decoder_start_token_id in its config.json and generation_config.json."
            )
    starts = known(
        *said["decoder_start"],
        *said["bos"],
        *decoder_starts(folder),
        *(tokenizer.bos_token_id, tokenizer.cls_token_id),
    )
    if not starts:
        raise UserError(
            f"{name} does not say how a caption begins: add decoder_start_token_id to its config.json."
        )
    end = tokenizer.eos_token_id if tokenizer.eos_token_id in ends else ends[0]
    if tokenizer.eos_token_id != end:
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(end)
    pad = known(*said["pad"], tokenizer.pad_token_id, end)[0]
    return {"start": starts[0], "ends": tuple(ends), "pad": pad}


def _require_sight(captioner: EncoderDecoderCaptioner) -> None:
    """Check that the captioner computes numbers, and that what it writes depends on the photo.

    Raises:
        UserError: if a weight is not a number, if photos cannot be encoded or read, or if two of them that
            have nothing in common get the same features, or the same logits: a decoder without
            cross-attention hears of neither.
    """
    if flaw := not_finite(captioner.network):
        raise UserError(f"The checkpoint of {captioner.model} is damaged: {flaw}; get its files anew.")
    exact = replace(captioner, precision="fp32")
    decoder = type(captioner.network.decoder).__name__
    try:
        with np.errstate(all="ignore"):  # of what is no number a sentence of ours tells
            features = exact.encode([picture[:, :48] for picture in two_pictures()])  # not square
    except Exception as error:  # whatever a picture of another size than the encoder's makes it raise
        raise UserError(
            f"The photos that preprocessor_config.json of {captioner.model} makes do not fit its encoder "
            f"({reason(error)}): set there a height and a width as config.json's image_size, or mend that."
        ) from error
    if not features.isfinite().all():
        raise UserError(
            f"What {captioner.model} makes of a photo is no numbers: mend image_mean and image_std in its "
            "preprocessor_config.json."
        )
    if torch.equal(features[0], features[1]):
        raise UserError(
            f"All photos are one to {captioner.model}: mend rescale_factor, image_mean and image_std in its "
            "preprocessor_config.json."
        )
    try:
        with torch.inference_mode(), evaluating(exact.network):
            black, other = exact.logits(features, ["", ""])
    except Exception as error:  # whatever a decoder raises that is given features of photos
        raise UserError(
            f"{captioner.model} cannot write captions: its decoder ({decoder}) reads no photos "
            f"({reason(error)}); name another model as captioner.model."
        ) from error
    if torch.equal(black, other):
        raise UserError(
            f"{captioner.model} is no captioner: what its decoder ({decoder}) writes does not depend on "
            "the photo, since it has no cross-attention; name another model as captioner.model."
        )


def _room(network: Any) -> int | None:
    """Return for how many tokens the decoder has positions; RoBERTa leaves out those up to its padding's."""
    positions = getattr(network.config.decoder, "max_position_embeddings", None)
    tables = (part for name, part in network.decoder.named_modules() if name.endswith("position_embeddings"))
    unused = max((part.padding_idx + 1 for part in tables if part.padding_idx is not None), default=0)
    return positions and positions - unused
