"""A profile of images alone and one of captioned photos alone, from `new` to the checked pages."""

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from reporting.checking.page import parse, text_of
from tests.support.commands import python
from tests.support.copies import PAGES, copy_parts
from tests.support.small_profiles import draw_classes, draw_photos, save_captioner
from tests.support.warm import run_warm

PARTS = ("pipeline", "experiments", "figures", "profiles", "reporting", "templates")
SMALL = {
    "resamples": "200",
    "significance": "0.05\nexploratory = true",
    "epochs": "1",
    "batch_size": "4",
    "widths": "[8, 16]",
    "stem_width": "8",
    "width": "16",
    "depth": "1",
    "max_new_tokens": "8",
    "ranks": "[1]",
    "precision": '"fp32"',
}
"""What makes seconds of an hour, by the keys that a user would edit."""
BRIDGE = re.compile(r'(?m)^kind = "imagenet_bridge".*?\n\n', re.DOTALL)
HUB = re.compile(r'model = "nlpconnect[^\n]*\nrevision[^\n]*')


@dataclass(frozen=True)
class Half:
    """A project folder, what each command of a user said in it, and the profile that `new` wrote."""

    folder: Path
    said: dict[str, subprocess.CompletedProcess[str]]
    profile: str

    @property
    def pages(self) -> dict[str, str]:
        """The words of each page."""
        site = self.folder / "_site"
        names = ("report", "appendix", "captions", "provenance")
        return {name: text_of(parse((site / f"{name}.html").read_text())) for name in names}


def walked(folder: Path, *options: str) -> Half:
    """Do what README says with data of one kind: new, edit, check, run, report, check of the pages."""
    copy_parts(folder, *PARTS, *PAGES)
    path = folder / "profiles" / "mine.toml"
    said = {"new": python(folder, "-m", "experiments", "new", "mine", *options)}
    assert said["new"].returncode == 0, said["new"].stderr
    profile = text = path.read_text()
    for key, value in SMALL.items():
        text = re.sub(rf"(?m)^{key} = [^\n#]*", f"{key} = {value} ", text)
    text = BRIDGE.sub('kind = "random"\nseed = 0\n\n', text)
    path.write_text(HUB.sub('model = "captioner"', text))
    for name in ("check", "run"):
        said[name] = run_warm(folder, "experiments", name, "--profile", "mine")
        assert said[name].returncode == 0, f"{name}: {said[name].stdout}{said[name].stderr}"
    for name, command in (
        ("report", ("-m", "reporting.render", "--renderer", "builtin")),
        ("pages", ("-m", "reporting.check")),
        ("status", ("-m", "experiments", "status", "--strict")),
    ):
        said[name] = python(folder, *command, QUARTO_PROFILE="mine")
        assert said[name].returncode == 0, f"{name}: {said[name].stdout}{said[name].stderr}"
    return Half(folder, said, profile)


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Half]]:
    images, photos = tmp_path_factory.mktemp("images"), tmp_path_factory.mktemp("photos")
    draw_classes(images / "animals", count=20)
    draw_photos(photos, count=8)
    save_captioner(photos / "captioner")
    with ThreadPoolExecutor() as pool:
        walks = {
            "images": pool.submit(walked, images, "--images", "animals"),
            "photos": pool.submit(walked, photos, "--photos", "photos", "--captions", "captions.csv"),
        }
        yield {name: walk.result() for name, walk in walks.items()}


def test_new_says_which_half_is_left_out_and_which_captioner_it_took_and_why(halves: dict[str, Half]) -> None:
    assert "It captions nothing, since no --photos were named." in halves["images"].said["new"].stdout
    said = halves["photos"].said["new"].stdout
    assert (
        "classifies nothing, since no --images were named. Its captioner is ViT-GPT2 from the Hugging" in said
    )
    assert "it comes whole, while the kind prefix would be aligned on labelled images" in said
    assert re.search(r'(?m)^kind = "vision_encoder_decoder"', halves["photos"].profile)
    assert re.search(r'(?m)^targets = \["c_attn", "c_proj", "c_fc"\]', halves["photos"].profile)


def test_a_report_on_images_alone_has_no_word_of_captions_and_no_box(halves: dict[str, Half]) -> None:
    pages = halves["images"].pages
    everything = " ".join(pages.values())
    assert not re.search("Missing:|Stale:", everything)
    assert not re.search(r"(?i)captioner|low-rank|fine-tun", pages["report"])
    assert "This run captions no photos." in pages["captions"]
    assert "The classifiers compared" in pages["report"]
    for heading in ("Prompts", "Classes and confusion", "Known failures"):
        assert heading in pages["appendix"]
    assert "Other ways of tuning" not in pages["appendix"]
    assert "Reflection" not in pages["report"]


def test_a_report_on_captioned_photos_alone_has_measured_change_and_reflection_and_no_box(
    halves: dict[str, Half],
) -> None:
    pages = halves["photos"].pages
    everything = " ".join(pages.values())
    assert not re.search("Missing:|Stale:", everything)
    assert not re.search(r"(?i)\bclassifier|zero-shot|CIFAR|held[- ]out", pages["report"])
    for heading in ("What changed", "Why LoRA is useful"):
        assert heading in pages["report"]
    for heading in ("Other ways of tuning", "Known failures"):
        assert heading in pages["appendix"]
    assert "The classifiers compared" not in pages["report"]
    assert "Prompts" not in pages["appendix"]


def test_the_check_of_the_pages_reads_all_of_them(halves: dict[str, Half]) -> None:
    for half in halves.values():
        assert re.fullmatch(r"[\d,]+ numbers on 4 pages agree with the results\n", half.said["pages"].stdout)
        assert "No problem was found" in half.said["check"].stdout
