"""Inputs that are models: captioners that are none, checkpoints in every wrapping, code in disguise."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from experiments.classification.pretrained import pretrained_tower
from experiments.new_profile.start import off
from experiments.project import open_project
from tests.experiments.captioning.captioners import test_other_encoder_decoders as captioners
from tests.experiments.classification import test_pretrained as towers
from tests.support.captioners import load_captioner
from tests.support.small_profiles import CAPTIONER
from tests.torture.inputs import CAPTIONING, PHOTOS_ALONE, SMOKE, Row, Seen, profile, section, with_line

ALIGN = ("run", "align", "--profile", "mine")
TOWER = '[zero_shot.tower]\nkind = "open_clip"\nmodel = "local-dir:tower"\n'
TOWER_ALONE = section(off(SMOKE, *CAPTIONING, "cnn", "vit"), TOWER)


def rows() -> Iterator[Row]:
    """Yield the inputs of every kind of model."""
    yield from damaged_captioners()
    yield from blind_captioners()
    yield from start_tokens()
    yield from lora_targets()
    yield from code_in_disguise()
    yield from checkpoints()


def with_captioner(root: Path, decoder: str = "gpt2") -> Path:
    """Write a profile of a captioner in a folder, and that; return the folder."""
    profile(root, section(PHOTOS_ALONE, CAPTIONER.replace("held_out = 2", "held_out = 0")))
    return captioners.publish("vit", decoder, root / "captioner")


def damaged_captioners() -> Iterator[Row]:
    """Captioners whose parts are damaged, lacking, or do not belong together."""

    def without(name: str) -> Callable[[Path], object]:
        return lambda folder: (folder / name).unlink()

    def holding(name: str, content: bytes) -> Callable[[Path], object]:
        return lambda folder: (folder / name).write_bytes(content)

    cases: dict[str, tuple[Callable[[Path], object], str]] = {
        "weights that are no numbers": (captioners.spoil, "hold values that are no numbers"),
        "photos of another size": (captioners.another_size, "do not fit its encoder"),
        "photos of another shape": (captioners.another_shape, "do not fit its encoder"),
        "a tokenizer without its merges": (captioners.lost_merges, "of which its merges make 0"),
        "another tokenizer": (captioners.another_tokenizer, "401 tokens, but the decoder knows 257"),
        "an adapter beside it": (holding("adapter_config.json", b"{}"), "tuned already"),
        "a language model": (holding("config.json", b'{"model_type": "gpt2"}'), "no VisionEncoderDecoder"),
        "a broken config": (holding("config.json", b"{"), "model_type None|config.json"),
        "no config": (without("config.json"), "lacks its configuration"),
        "no weights": (without("model.safetensors"), "lacks weights"),
        "no tokenizer": (without("vocab.json"), "lacks a tokenizer"),
        "no preprocessing": (without("preprocessor_config.json"), "lacks the preprocessing"),
        "weights that are text": (holding("model.safetensors", b"not tensors"), "read as a checkpoint"),
        "weights that are empty": (holding("model.safetensors", b""), "cannot be read as a checkpoint"),
        "a broken preprocessing": (holding("preprocessor_config.json", b"{"), "preprocess|could not load"),
        "a broken vocabulary": (holding("vocab.json", b"{"), "tokenizer|could not load"),
        "a vocabulary of nothing": (holding("vocab.json", b"{}"), "tokens, but the decoder knows 257"),
        "rules of generation that break off": (
            holding("generation_config.json", b'{"decoder_start_token_id": 7'),
            r"generation_config\.json of captioner is damaged",
        ),
    }  # fmt: skip
    for case, (spoil, said) in cases.items():

        def arrange(root: Path, spoil: Callable[[Path], object] = spoil) -> None:
            spoil(with_captioner(root))

        yield Row("captioners", case, arrange, said, command=ALIGN)


def blind_captioners() -> Iterator[Row]:
    """Decoders that have no way to see the photo."""
    library: Any = captioners.transformers
    sizes = {"hidden_size": 32, "vocab_size": 300, **captioners.SIZE}
    opt = {"hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    blind = {
        "OPT": library.OPTConfig(word_embed_proj_dim=32, vocab_size=300, max_position_embeddings=64, **opt),
        "Llama": library.LlamaConfig(**sizes),
        "BioGPT": library.BioGptConfig(**sizes),
        "GPT-2 without cross-attention": library.GPT2Config(
            **{**captioners.GPT2, "add_cross_attention": False, "vocab_size": 300}
        ),
    }
    for case, config in blind.items():

        def arrange(root: Path, config: Any = config) -> None:
            folder = with_captioner(root)
            encoder = library.ViTConfig(hidden_size=32, **captioners.VISION)
            both = library.VisionEncoderDecoderConfig(encoder=encoder.to_dict(), decoder=config.to_dict())
            library.VisionEncoderDecoderModel(both).save_pretrained(folder)

        yield Row("captioners", f"blind: {case}", arrange, r"captioner\.model", command=ALIGN)


def start_tokens() -> Iterator[Row]:
    """Special tokens in each of the places where they can stand."""
    for place in ("config.json", "its decoder", "generation_config.json"):
        for decoder in ("gpt2", "trocr"):

            def arrange(root: Path, place: str = place, decoder: str = decoder) -> None:
                captioners.say(
                    with_captioner(root, decoder), place, {captioners.START: 7, captioners.END: 11}
                )

            yield Row(
                "captioners", f"{decoder}: special tokens in {place}", arrange,
                command=lambda root: load_captioner(root / "captioner").start,
                right=lambda root, seen: seen.said.split()[-1] == "7",
            )  # fmt: skip


def lora_targets() -> Iterator[Row]:
    """Targets that match nothing, or the image tower as well."""
    for targets, said in (
        (["w_proj"], "'w_proj' matches no"),
        (["encoder"], "matches|encoder"),
        (["c_attn", ""], ""),
    ):
        text = with_line("lora.targets", json.dumps(targets))
        yield Row(
            "captioners", f"targets {targets}", lambda root, text=text: profile(root, text), said or "target"
        )


def plain(root: Path, text: dict[str, Any] | None = None) -> dict[str, torch.Tensor]:
    """Write a profile of a dual encoder in a folder, and that without weights; return them."""
    profile(root, TOWER_ALONE)
    (root / "tower").mkdir()
    described = {"model_cfg": {**towers.TINY, "text_cfg": {**towers.TINY["text_cfg"], **(text or {})}}}
    (root / "tower" / "open_clip_config.json").write_text(json.dumps({**described, "preprocess_cfg": {}}))
    return towers.random_state(towers.TINY)


EXTRA, OTHER_SHAPE = {"visual.x": torch.zeros(3)}, {"visual.positional_embedding": torch.zeros(17, 32)}
SAFE, OLD = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"


def code_in_disguise() -> Iterator[Row]:
    """Code beside a model, or in it, that must never run."""

    def untouched(root: Path, seen: Seen) -> bool:
        return not (root / "ran").exists()

    for case, text in {
        "options that trust it": {"tokenizer_kwargs": {"trust_remote_code": True}},
        "an option that names a file": {"tokenizer_kwargs": {"tokenizer_file": "/etc/passwd"}},
        "the tokenizer's own files": {},
        "a text model that is the folder": {"hf_model_name": "tower"},
    }.items():

        def arrange(root: Path, text: dict[str, Any] = text) -> None:
            save_file(plain(root, {"hf_tokenizer_name": "anything", **text}), root / "tower" / SAFE)
            towers.plant(root / "tower", root / "ran")

        for command in (("check", "--profile", "mine"), ("run", "zero_shot", "--profile", "mine")):
            if command[0] == "run" or "tokenizer_kwargs" in text:
                yield Row(
                    "code in disguise", f"{case}: {command[0]}", arrange, "code|never", untouched, command
                )

    def archive(root: Path) -> None:
        towers.archive(plain(root), root / "tower" / OLD)

    def pickle(root: Path) -> None:
        torch.save({**plain(root), "x": Runs(root / "ran")}, root / "tower" / OLD)

    for case, written, said in (
        ("TorchScript", archive, "runs code when"),
        ("a pickle that runs code", pickle, ""),
    ):
        for command in (("check", "--profile", "mine"), ("run", "zero_shot", "--profile", "mine")):
            if said or command[0] == "run":
                name = f"{case}: {command[0]}"
                yield Row(
                    "code in disguise", name, written, said or "checkpoint|tensors|tower", untouched, command
                )


class Runs:
    """An object whose unpickling makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        """Return the call that a careless reader makes."""
        import os

        return os.mkdir, (str(self.mark),)


def checkpoints() -> Iterator[Row]:
    """Checkpoints in every wrapping that people have, and what is none."""
    named = lambda state, before: {f"{before}{name}": tensor for name, tensor in state.items()}  # noqa: E731
    wrappings: dict[str, Callable[[dict[str, torch.Tensor]], Any]] = {
        "tensors alone": lambda state: state,
        "of a parallel training": lambda state: {"epoch": 3, "state_dict": named(state, "module.")},
        "under model": lambda state: {"model": state},
        "under model_state_dict": lambda state: {"model_state_dict": state, "epoch": 1},
        "of Lightning": lambda state: {
            "state_dict": named(state, "model."),
            "pytorch-lightning_version": "2",
        },
        "of a compiled model": lambda state: named(state, "_orig_mod."),
        "beside a scalar of numpy": lambda state: {"state_dict": state, "loss": np.float64(1.5)},
        "beside a Namespace": lambda state: {"state_dict": state, "args": argparse.Namespace(lr=1.0)},
    }

    def fingerprint(root: Path) -> object:
        zero_shot: Any = open_project("mine", root).profile.zero_shot
        return pretrained_tower(zero_shot.tower, root).image_fingerprint()

    def same(root: Path, seen: Seen) -> bool:
        save_file(torch.load(root / "plain", weights_only=True), root / "tower" / SAFE)
        (root / "tower" / OLD).unlink()
        return seen.said.split()[-1] == fingerprint(root)

    for case, wrapped in wrappings.items():

        def arrange(root: Path, wrapped: Callable[[Any], Any] = wrapped) -> None:
            state = plain(root)
            torch.save(state, root / "plain")
            torch.save(wrapped(state), root / "tower" / OLD)

        yield Row("checkpoints", case, arrange, right=same, command=fingerprint)

    none: dict[str, tuple[str, Callable[[Path, dict[str, torch.Tensor]], object]]] = {
        "a text": (OLD, lambda path, state: path.write_bytes(b"hello, this is no checkpoint\n" * 9)),
        "a page": (OLD, lambda path, state: path.write_bytes(b"<!DOCTYPE html><html>Please log in.</html>")),
        "a text called safe": (SAFE, lambda path, state: path.write_bytes(b"hello\n" * 9)),
        "nothing": (OLD, lambda path, state: path.touch()),
        "nothing called safe": (SAFE, lambda path, state: path.touch()),
        "a list": (OLD, lambda path, state: torch.save([torch.zeros(3)], path)),
        "no tensors": (OLD, lambda path, state: torch.save({}, path)),
        "a whole network": (OLD, lambda path, state: torch.save(torch.nn.Linear(2, 2), path)),
        "cut off": (SAFE, lambda path, state: (save_file(state, path), truncate(path))),
        "cut off, of torch": (OLD, lambda path, state: (torch.save(state, path), truncate(path))),
        "a tensor too few": (SAFE, lambda path, state: save_file(less(state), path)),
        "a tensor too many": (SAFE, lambda path, state: save_file(state | EXTRA, path)),
        "another shape": (
            SAFE, lambda path, state: save_file(state | OTHER_SHAPE, path)
        ),
        "values that are no numbers": (SAFE, lambda path, state: save_file(spoilt(state), path)),
        "a folder": (SAFE, lambda path, state: path.mkdir()),
    }  # fmt: skip
    for case, (name, write) in none.items():

        def no_checkpoint(root: Path, name: str = name, write: Callable[..., object] = write) -> None:
            write(root / "tower" / name, plain(root))

        yield Row(
            "checkpoints", case, no_checkpoint, "tower|checkpoint|tensors",
            right=advises_no_pickle, command=("run", "zero_shot", "--profile", "mine"),
        )  # fmt: skip


def advises_no_pickle(root: Path, seen: Seen) -> bool:
    """Tell whether torch's advice to load whatever it is was kept back."""
    return "weights_only" not in seen.said


def truncate(path: Path) -> None:
    """Cut off the end of a file."""
    path.write_bytes(path.read_bytes()[:-1000])


def less(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Leave a tensor out."""
    return {name: tensor for name, tensor in state.items() if name != "visual.ln_post.bias"}


def spoilt(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Put a value in that is no number."""
    changed = state["visual.proj"].clone()
    changed[0, 0] = float("nan")
    return state | {"visual.proj": changed}
