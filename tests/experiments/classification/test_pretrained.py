import hashlib
import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from pytest import MonkeyPatch as Patch
from safetensors.torch import load_file, save_file

from experiments.classification import open_clip_weights
from experiments.classification.pretrained import describe, pretrained_tower
from experiments.classification.towers import DualEncoder
from experiments.config.zero_shot import OpenClipTower
from experiments.models import hub
from experiments.models.libraries import open_clip_library
from experiments.results.source import Source
from tests.support.hub_cache import COMMIT, keep, lose, turn_off
from tests.support.refusals import refusal

OPENAI = "timm/vit_base_patch32_clip_224.openai"
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
LOOK = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6), "interpolation": "bilinear", "resize_mode": "squash"}


Publish = Callable[..., None]


def tower(model: str, pretrained: Path | str | None = None, file: Path | None = None) -> OpenClipTower:
    places: dict[str, Any] = {"pretrained": pretrained and str(pretrained), "file": file and str(file)}
    return OpenClipTower(kind="open_clip", model=model, **places)


def refused(config: OpenClipTower) -> str:
    return refusal(pretrained_tower, config)


def random_state(architecture: dict[str, Any]) -> dict[str, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = open_clip_library().CLIP(**architecture).state_dict()
    return {name: tensor.contiguous() for name, tensor in state.items()}


def folder_of(checkpoint: Path, folder: Path, architecture: dict[str, Any]) -> Path:
    """Lay out a model that describes itself, as a hub's repository and open_clip's local-dir: have it."""
    folder.mkdir()
    described = {"model_cfg": architecture, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    (folder / "open_clip_model.safetensors").symlink_to(checkpoint)
    return folder


def in_the_hubs_cache(checkpoint: Path, cache: Path, name: str = "org/tiny") -> Path:
    return keep(cache, name, {"open_clip_model.safetensors": checkpoint})


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: Patch) -> None:
    turn_off(tmp_path / "cache", monkeypatch)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: pytest.fail("the network was used"))


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A checkpoint of a tiny model that open_clip knows, under its plain name and the one with QuickGELU."""
    configs = open_clip_library().factory._MODEL_CONFIGS
    monkeypatch.setitem(configs, "tiny", TINY)
    monkeypatch.setitem(configs, "tiny-quickgelu", {**TINY, "quick_gelu": True})
    file = tmp_path / "mine.safetensors"
    save_file(random_state(TINY), file)
    return file


@pytest.fixture
def publish(monkeypatch: Patch) -> Publish:
    """Return the function that makes a tag of the tiny models known to open_clip."""

    def known(tag: str, sha256: str = "f" * 64, **more: Any) -> None:
        url = f"https://openaipublic.example/clip/models/{sha256}/tiny.pt"
        entry = {"url": url, "hf_hub": "org/tiny/", **LOOK, **more}
        for model in ("tiny", "tiny-quickgelu"):
            monkeypatch.setitem(open_clip_library().pretrained._PRETRAINED, model, {tag: entry})

    return known


@pytest.fixture(scope="session")
def vit_b_32(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All of OpenAI's ViT-B/32 with random weights, in half precision as it was published: 300 MB."""
    file = tmp_path_factory.mktemp("full") / "ViT-B-32.safetensors"
    state = random_state(open_clip_library().get_model_config("ViT-B-32"))
    save_file({name: tensor.half() for name, tensor in state.items()}, file)
    yield file
    file.unlink()


def test_the_whole_architecture_loads_from_each_place_with_the_same_weights(vit_b_32: Path, tmp_path: Path):
    in_the_hubs_cache(vit_b_32, tmp_path / "cache", OPENAI)
    architecture = open_clip_library().get_model_config("ViT-B-32") | {"quick_gelu": True}
    folder = folder_of(vit_b_32, tmp_path / "described", architecture)
    with vit_b_32.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    name, quick, file = "ViT-B-32", "ViT-B-32-quickgelu", "ViT-B-32.safetensors"
    clip, openai = "CLIP ViT-B-32 (openai)", "open_clip ViT-B-32, openai"
    cached = Source(name=openai, revision=COMMIT, url=f"https://huggingface.co/{OPENAI}")
    fingerprints = set()
    for config, model, weights in (
        (tower(name, "openai", vit_b_32), clip, Source(name=openai, sha256=sha256)),
        (tower(name, "openai"), clip, cached),
        (
            tower(quick, vit_b_32),
            f"Dual encoder {quick}",
            Source(name=f"local checkpoint {file}", sha256=sha256),
        ),
        (
            tower(f"local-dir:{folder}"),
            "Dual encoder described",
            Source(name="local checkpoint described", sha256=sha256),
        ),
    ):
        found = pretrained_tower(config)
        assert (found.about.model, found.about.weights) == (model, (weights,))
        assert found.about.is_clip == model.startswith("CLIP")
        assert found.parameters() == 151_277_313
        fingerprints.add(found.image_fingerprint())
    assert len(fingerprints) == 1


def activation(found: DualEncoder) -> str:
    (name,) = {type(part).__name__ for part in found.clip.modules()} & {"QuickGELU", "GELU"}
    return name


def test_the_activation_is_that_of_the_tag_or_without_a_tag_of_the_model(tiny: Path, publish: Publish):
    publish("quick", quick_gelu=True)
    for config in (tower("tiny", "quick", tiny), tower("tiny-quickgelu", "quick", tiny)):
        assert activation(pretrained_tower(config)) == "QuickGELU"
    assert activation(pretrained_tower(tower("tiny-quickgelu", tiny))) == "QuickGELU"
    assert activation(pretrained_tower(tower("tiny", tiny))) == "GELU"
    publish("slow")
    assert activation(pretrained_tower(tower("tiny", "slow", tiny))) == "GELU"
    for file in (tiny, None):
        assert "QuickGELU mismatch: model 'tiny-quick" in refused(tower("tiny-quickgelu", "slow", file))


def test_a_copy_is_preprocessed_as_open_clip_does_for_the_tag(tiny: Path, publish: Publish, tmp_path: Path):
    publish("openai", quick_gelu=True, file=str(tiny))  # so that open_clip itself finds it
    _, expected = open_clip_library().create_model_from_pretrained("tiny", "openai", force_quick_gelu=True)
    assert "0.1, 0.2, 0.3" in str(expected)
    in_the_hubs_cache(tiny, tmp_path / "cache")
    copy, cached = (pretrained_tower(tower("tiny", "openai", file)) for file in (tiny, None))
    assert str(copy.preprocess) == str(cached.preprocess) == str(expected)
    assert cached.image_fingerprint() == copy.image_fingerprint()
    assert str(pretrained_tower(tower("tiny", tiny)).preprocess) != str(expected)


class Script(torch.nn.Module):
    """Tensors under dotted names, and the three numbers that OpenAI keeps beside them."""

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        super().__init__()
        for name, tensor in state.items():
            part: torch.nn.Module = self
            *path, last = name.split(".")
            for step in path:
                if not hasattr(part, step):
                    part.add_module(step, torch.nn.Module())
                part = part.get_submodule(step)
            part.register_buffer(last, tensor)
        for name in ("input_resolution", "context_length", "vocab_size"):
            self.register_buffer(name, torch.tensor(1))

    def forward(self) -> int:
        return 0


def archive(state: dict[str, torch.Tensor], file: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Script(state)).save(str(file))
    return file


def test_openais_archive_is_held_against_the_published_hash(tiny: Path, tmp_path: Path, publish: Publish):
    state = load_file(tiny)
    file = archive({name: tensor.half() for name, tensor in state.items()}, tmp_path / "tiny.pt")
    publish("openai", hashlib.sha256(file.read_bytes()).hexdigest(), quick_gelu=True)
    found = pretrained_tower(tower("tiny", "openai", file))
    assert (found.about.is_clip, activation(found)) == (True, "QuickGELU")
    for name, tensor in found.clip.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.allclose(tensor.cpu(), state[name], atol=1e-3)
    # The same file named as a checkpoint of one's own is run with no other activation.
    assert "was published as openai" in refused(tower("tiny", file))
    assert not pretrained_tower(tower("tiny-quickgelu", file)).about.is_clip

    altered = tmp_path / "altered.pt"
    torch.save(state, altered)
    sentence = refused(tower("tiny", "openai", altered))
    assert sentence.startswith(f"{altered} is not the file that was published as openai of tiny: its SHA-256")
    assert sentence.endswith("name a checkpoint of your own as zero_shot.tower.pretrained.")
    # Another serialisation has a hash that nobody knows.
    assert pretrained_tower(tower("tiny", "openai", tiny)).about.is_clip
    other = tmp_path / "open_clip_pytorch_model.bin"
    torch.save(state, other)
    assert pretrained_tower(tower("tiny", "openai", other)).about.is_clip


ELSEWHERE = {"auto_map": {"AutoConfig": "evil.Config", "AutoTokenizer": ["evil.Token", None]}}


def plant(folder: Path, ran: Path) -> None:
    """Write Python beside a model that leaves a mark when it runs, and the files that lead to it."""
    code = f"open({str(ran)!r}, 'w')\nclass Config: pass\nclass Token: pass\n"
    (folder / "evil.py").write_text(code)
    (folder / "tokenizer_config.json").write_text(json.dumps(ELSEWHERE))
    (folder / "config.json").write_text(json.dumps({"model_type": "evil", **ELSEWHERE}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            {"tokenizer_kwargs": {"trust_remote_code": True}},
            "options that could run code (trust_remote_code)",
        ),
        ({"tokenizer_kwargs": {"tokenizer_file": "/etc/passwd"}}, "options that could run code"),
        ({}, "which is never done"),  # the tokenizer's own files name the code
        ({"hf_model_name": "FOLDER"}, "which is never done"),
    ],
)
def test_code_beside_a_model_is_never_run_whatever_asks_for_it(
    text: dict[str, Any], said: str, tiny: Path, tmp_path: Path, monkeypatch: Patch
):
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # transformers asks, and takes a yes
    text = {name: str(tmp_path / "mine") if value == "FOLDER" else value for name, value in text.items()}
    texts = {**TINY["text_cfg"], "hf_tokenizer_name": "anything", **text}
    folder = folder_of(tiny, tmp_path / "mine", {**TINY, "text_cfg": texts})
    ran = tmp_path / "ran"
    plant(folder, ran)
    config = tower(f"local-dir:{folder}")
    assert said in refused(config)
    assert not ran.exists()
    if "tokenizer_kwargs" in text:
        assert said in (open_clip_weights.missing(config, tmp_path, lambda: None) or ""), (
            "check says it as well"
        )


def test_options_of_a_tokenizer_without_names_are_one_sentence(tiny: Path, tmp_path: Path):
    texts = {**TINY["text_cfg"], "tokenizer_kwargs": [1]}
    folder = folder_of(tiny, tmp_path / "mine", {**TINY, "text_cfg": texts})
    assert "names none of its tokenizer's options: delete" in refused(tower(f"local-dir:{folder}"))


def test_harmless_options_of_a_tokenizer_are_passed_on(tiny: Path, tmp_path: Path):
    texts = {**TINY["text_cfg"], "tokenizer_kwargs": {"clean": "lower"}}
    folder = folder_of(tiny, tmp_path / "mine", {**TINY, "text_cfg": texts})
    assert pretrained_tower(tower(f"local-dir:{folder}"))


@pytest.mark.parametrize("name", ["archive.pt", "archive.bin"])
def test_an_archive_of_torchscript_that_nobody_published_is_not_run(
    name: str, tiny: Path, tmp_path: Path, publish: Publish, monkeypatch: Patch
):
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was run"))
    file = archive(load_file(tiny), tmp_path / name)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    url = f"https://github.com/mlfoundations/open_clip/releases/tiny-{sha256[:8]}.pt"
    publish("begins_alike", url=url)  # of eight digits a forger finds another
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY}))
    (folder / "open_clip_pytorch_model.bin").symlink_to(file)
    for config in (tower("tiny", file), tower(f"local-dir:{folder}")):
        assert "runs code when it is loaded" in refused(config)
        assert "runs code when" in (open_clip_weights.missing(config, tmp_path, lambda: None) or "")


def write(state: dict[str, torch.Tensor], file: Path) -> Path:
    """Write a checkpoint in the form that the file's name stands for."""
    if file.suffix == ".safetensors":
        save_file(state, file)
    else:
        # Training keeps the tensors under a key, and their names begin as those of a parallel model.
        training = {f"module.{name}": tensor for name, tensor in state.items()}
        kept = {"training.pt": {"epoch": 3, "state_dict": training}, "lightning.ckpt": {"model": training}}
        torch.save(kept.get(file.name, state), file)
    return file


@pytest.mark.parametrize(
    "form", ["file.safetensors", "file.pt", "file.pth", "file.bin", "training.pt", "lightning.ckpt"]
)
def test_a_checkpoint_fills_the_model_with_its_tensors_or_is_refused(form: str, tiny: Path, tmp_path: Path):
    state = load_file(tiny)
    loaded = pretrained_tower(tower("tiny", write(state, tmp_path / form))).clip.state_dict()
    assert all(torch.equal(loaded[name].cpu(), tensor) for name, tensor in state.items())
    for name, shape, said in (
        ("visual.ln_post.bias", None, ""),
        ("text_projection", (16, 24), ""),
        ("visual.extra", (3,), ""),
        # open_clip would interpolate it without a word.
        ("visual.positional_embedding", (17, 32), " is of shape (17, 32), where (5, 32) is wanted"),
    ):
        damaged = {other: tensor for other, tensor in state.items() if other != name}
        if shape is not None:
            damaged[name] = torch.zeros(shape)
        assert name + said in refused(tower("tiny", write(damaged, tmp_path / form)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.pt", b"hello, this is no checkpoint\n" * 9),
        ("text.safetensors", b"hello, this is no checkpoint\n" * 9),
        ("page.bin", b"<!DOCTYPE html><html>Please log in.</html>"),
        ("empty.pt", b""),
        ("empty.safetensors", b""),
        ("cut.safetensors", None),
        ("cut.pt", None),
        ("list.pt", [torch.zeros(3)]),
        ("nothing.pt", {}),
        ("whole_network.pt", torch.nn.Linear(2, 2)),
    ],
)
def test_what_is_no_checkpoint_is_one_sentence_that_names_it(name: str, content: Any, tiny: Path):
    file = tiny.with_name(name)
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    else:
        file.write_bytes(write(load_file(tiny), file).read_bytes()[:-1000])
    sentence = refused(tower("tiny", file))
    assert sentence.startswith(str(file)) and "weights_only" not in sentence


def test_a_checkpoint_or_folder_that_does_not_serve_is_one_sentence(tiny: Path, monkeypatch: Patch):
    monkeypatch.setitem(open_clip_library().factory._MODEL_CONFIGS, "wide", {**TINY, "embed_dim": 24})
    assert "could not load model 'wide' with weights" in refused(tower("wide", tiny))
    assert "knows no model 'ViT-B-33'" in refused(tower("ViT-B-33", tiny))
    none, folder = tiny.with_name("none.pt"), tiny.with_name("folder")
    sentence = f"There is no file {none}, which zero_shot.tower."
    assert refused(tower("tiny", none)).startswith(f"{sentence}pretrained")
    assert refused(tower("ViT-B-32", "openai", none)).startswith(f"{sentence}file names")
    other = tiny.rename(tiny.with_suffix(".npz"))  # open_clip would load it, and not care what it lacks
    assert "is no checkpoint: those end in .safetensors" in refused(tower("tiny", other))
    described = tower(f"local-dir:{folder}")
    assert "there is no such folder" in refused(described)
    folder.mkdir()
    assert "lacks open_clip_config.json" in refused(described)
    (folder / "open_clip_config.json").write_text("{}")
    assert "lacks a checkpoint" in refused(described)
    shutil.copyfile(other, folder / "mine.safetensors")
    assert "model_cfg" in refused(described)
    shutil.copyfile(other, folder / "other.safetensors")
    assert "lacks a checkpoint" in refused(described)


def test_paths_start_at_the_root_or_at_the_home_folder(tiny: Path, tmp_path: Path, monkeypatch: Patch):
    expected = pretrained_tower(tower("tiny", tiny)).image_fingerprint()
    assert pretrained_tower(tower("tiny", "./mine.safetensors"), tmp_path).image_fingerprint() == expected
    monkeypatch.setenv("HOME", str(tmp_path))
    assert pretrained_tower(tower("tiny", "~/mine.safetensors")).image_fingerprint() == expected
    folder_of(tiny, tmp_path / "described", TINY)
    found = pretrained_tower(tower("local-dir:~/described"))
    assert found.image_fingerprint() == expected
    assert str(tmp_path) not in str(found.about)
    assert found.encode_text(found.tokenizer(["a photo of a cat."])).shape == (1, 16)


def test_a_repository_that_describes_itself_is_read_from_the_hubs_cache(tiny: Path, tmp_path: Path):
    kept = in_the_hubs_cache(tiny, tmp_path / "cache", "laion/CLIP-tiny")
    config = tower("hf-hub:laion/CLIP-tiny")
    assert "lacks open_clip_config.json in the hub's cache" in refused(config)
    (kept / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": {}}))
    found = pretrained_tower(config)
    assert found.about.is_clip
    assert found.about.weights == (
        Source(
            name="open_clip hf-hub:laion/CLIP-tiny",
            revision=COMMIT,
            url="https://huggingface.co/laion/CLIP-tiny",
        ),
    )
    assert found.image_fingerprint() == pretrained_tower(tower("tiny", tiny)).image_fingerprint()


@pytest.mark.parametrize("damage", ["a link to nowhere", "a download that was broken off", "no branch"])
def test_a_damaged_cache_is_no_cache(damage: str, tiny: Path, tmp_path: Path, publish: Publish):
    kept = in_the_hubs_cache(tiny, tmp_path / "cache")
    publish("openai")
    if damage == "no branch":
        (tmp_path / "cache/models--org--tiny/refs/main").unlink()
    else:
        lose(kept / "open_clip_model.safetensors", broken_off=damage == "a download that was broken off")
    sentence = refused(tower("tiny", "openai"))
    assert sentence.startswith("Of open_clip tiny, openai: org/tiny at revision main ")
    assert all(part in sentence for part in ("zero_shot.tower.file", "HF_HOME", "it is off"))


def test_the_hub_is_asked_for_the_better_format_first(tiny: Path, publish: Publish, monkeypatch: Patch):
    asked: list[list[str]] = []
    kept = tiny.with_name(COMMIT)
    kept.mkdir()

    def download(name: str, allow_patterns: list[str] | None = None, **options: object) -> str:
        if options.get("local_files_only"):
            raise huggingface_hub.errors.LocalEntryNotFoundError("not cached")
        asked.append(allow_patterns or [])
        if allow_patterns == ["pytorch_model.bin"]:
            torch.save(load_file(tiny), kept / "pytorch_model.bin")
        return str(kept)

    publish("openai", hf_hub="org/tiny/pytorch_model.bin")
    monkeypatch.setattr(hub, "unreachable", lambda: None)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    found = pretrained_tower(tower("tiny", "openai"))
    assert asked == [["pytorch_model.safetensors"], ["pytorch_model.bin"]]
    assert found.about.weights == (
        Source(name="open_clip tiny, openai", revision=COMMIT, url="https://huggingface.co/org/tiny"),
    )


def test_a_wrong_name_or_activation_is_refused_before_anything_is_asked(monkeypatch: Patch):
    monkeypatch.setattr(hub, "unreachable", lambda: pytest.fail("the network was used"))
    for model, tag, sentence in (
        ("roberta-ViT-B-32", "laion2b_s12b_b32k", "QuickGELU mismatch"),
        ("ViT-B-32-quickgelu", "laion2b_s34b_b79k", "neither a file nor a tag of 'ViT-B-32-quickgelu'"),
        ("ViT-B-32", "opnai", "neither a file nor a tag of 'ViT-B-32'; its tags: openai, "),
        ("ViT-B-33", "openai", "knows no model 'ViT-B-33'"),
    ):
        assert sentence in refused(tower(model, tag))


def test_a_text_tower_that_another_repository_describes_is_looked_for_as_well(tiny: Path, tmp_path: Path):
    config = tower("xlm-roberta-base-ViT-B-32", "laion5b_s13b_b90k")
    in_the_hubs_cache(tiny, tmp_path / "cache", "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k")
    sentence = open_clip_weights.missing(config, tmp_path, lambda: "the hub is off") or "nothing"
    assert "xlm-roberta-base at revision main is not in the hub's cache" in sentence


def test_only_openai_and_laion_weights_are_called_clip(tmp_path: Path, monkeypatch: Patch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "openai").mkdir()  # a folder named like a tag is not taken for a checkpoint
    assert tower("RN50-quickgelu", "openai").local is None
    clip = (
        tower("ViT-B-32-quickgelu", "openai"),
        tower("ViT-B-32", "openai", Path("copy.pt")),
        tower("ViT-B-32", "laion2b_s34b_b79k"),
        tower("hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
    )
    others = (
        tower("ViT-B-32", "openai.safetensors"),
        tower("ViT-B-32", "./openai"),
        tower("local-dir:openai"),
        tower("ViT-B-16-SigLIP", "webli"),
        tower("ViT-B-16-SigLIP", "webli", Path("openai.pt")),
        tower("hf-hub:timm/ViT-B-16-SigLIP"),
    )
    for config in (*clip, *others):
        about = describe(config, Source(name="the weights"))
        assert about.is_clip == about.model.startswith("CLIP ") == (config in clip)
        assert about.weights == (Source(name="the weights"),)


def test_a_copy_needs_the_tag_of_what_it_is_a_copy_of():
    for model, pretrained, sentence in (
        ("ViT-B-32", "mine.pt", "a checkpoint of your own is named by pretrained alone"),
        ("ViT-B-32", None, "pretrained must name"),
        ("local-dir:mine", None, "whose tag pretrained must name"),
        ("hf-hub:a/b", None, "whose tag pretrained must name"),
    ):
        with pytest.raises(ValueError, match=sentence):
            tower(model, pretrained, Path("copy.pt"))


def edit_file(file: Path, name: str, change: Callable[[torch.Tensor], object]) -> None:
    state = load_file(file)
    change(state[name])
    save_file(state, file)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "visual.conv1.weight",
            lambda it: it.view(-1)[0].fill_(torch.nan),
            "such as visual.conv1.weight; get",
        ),
        ("logit_scale", lambda it: it.fill_(torch.inf), "1 of its tensors hold values that are no numbers"),
        ("visual.proj", lambda it: it.zero_(), "all pictures are the same: "),
        ("text_projection", lambda it: it.zero_(), "all texts are the same: "),
    ],
)
def test_weights_that_mean_nothing_are_refused_before_any_work(
    name: str, change: Callable[[torch.Tensor], object], said: str, tiny: Path
):
    edit_file(tiny, name, change)
    assert said in refused(tower("tiny", tiny))


def test_a_tokenizer_of_another_model_is_told_as_such(tiny: Path, tmp_path: Path):
    architecture = {**TINY, "text_cfg": {**TINY["text_cfg"], "vocab_size": 100}}
    state = load_file(tiny)
    state["token_embedding.weight"] = state["token_embedding.weight"][:100].contiguous()
    save_file(state, tiny)
    sentence = refused(tower(f"local-dir:{folder_of(tiny, tmp_path / 'other', architecture)}"))
    assert "is another model's: it has 49,408 tokens, but the text tower knows 100;" in sentence


def test_a_preprocessing_that_makes_no_numbers_is_refused(tiny: Path, monkeypatch: Patch):
    made = open_clip_library().factory.image_transform_v2
    for odd, sentence in ((float("nan"), "is no numbers: mend mean and std"), (0.0, "or preprocess_cfg in")):
        monkeypatch.setattr(
            open_clip_library().factory,
            "image_transform_v2",
            lambda options, odd=odd, **rest: made(replace(options, std=(0.3, odd, 0.3)), **rest),
        )
        assert sentence in refused(tower("tiny", tiny))


def test_pictures_of_another_size_than_the_image_towers_are_told_as_such(tiny: Path, monkeypatch: Patch):
    made = open_clip_library().factory.image_transform_v2
    monkeypatch.setattr(
        open_clip_library().factory,
        "image_transform_v2",
        lambda options, **rest: made(replace(options, size=64), **rest),
    )
    assert "do not fit its image tower" in refused(tower("tiny", tiny))
