"""The rows of the table: what is measured, against what, and the most that its figure is meant to be."""

from benchmarks.table import Row

ROWS = (
    Row(
        name="status",
        what="`experiments status`, all fresh, computing seconds",
        against="`dvc status` on the same stages",
        target=0.4,
        measured="benchmarks.status:twelve_stages",
    ),
    Row(
        name="status-stages",
        what="the same of 1,000 small stages, each with code of its own",
        against="`dvc status` on the same",
        target=0.3,
        measured="benchmarks.status:many_stages",
    ),
    Row(
        name="status-photos",
        what="the same with 100,000 photos of the user's, unchanged",
        against="`dvc status` on the same",
        target=0.3,
        measured="benchmarks.status:many_photos",
    ),
    Row(
        name="render",
        what="both formats from fresh results, by the clock",
        against="real `quarto render` of the same pages",
        target=0.1,
        measured="benchmarks.rendering:whole",
    ),
    Row(
        name="preview",
        what="one page after a change of one template (`make preview`)",
        against="a render of all pages",
        target=0.25,
        measured="benchmarks.preview:template",
    ),
    Row(
        name="zero-shot",
        what="features of 1,000 images, ViT-B-32 at full size with random weights, fp32",
        against="the plain loop of evaluators: `DataLoader`, PIL transforms, fp32",
        target=0.952,
        measured="benchmarks.zero_shot:fp32",
    ),
    Row(
        name="zero-shot-bf16",
        what="the same in bf16, where a processor has instructions for it",
        against="the plain loop in fp32",
        target=0.667,
        measured="benchmarks.zero_shot:bf16",
    ),
    Row(
        name="prompts",
        what="`run zero_shot` after a prompt set was added, 10,000 images",
        against="the first `run zero_shot`",
        target=0.05,
        measured="benchmarks.prompts:another",
    ),
    Row(
        name="captions",
        what="captions of 1,000 images by the captioner of `offline`",
        against="`generate` of transformers, one image at a time",
        target=0.2,
        measured="benchmarks.captioner:captions",
    ),
    Row(
        name="lora",
        what="LoRA of ViT-GPT2 at full size with random weights, 50 photos, 8 epochs",
        against="the `Trainer` of transformers from pixels, the same options",
        target=0.5,
        measured="benchmarks.captioner:lora",
    ),
    Row(
        name="vit",
        what="the ViT of `offline`, to 80 % of the validation images",
        against="the same network by AdamW as PyTorch sets it, fp32, in the same batches",
        target=0.4,
        measured="benchmarks.classifiers:vit",
    ),
    *(
        Row(
            name=f"cnn-{seed}",
            what=f"the CNN of `offline`, trained from seed {seed}",
            against="airbench94 in plain PyTorch, fp32",
            target=1.0,
            measured=f"benchmarks.airbench:seed_{seed}",
        )
        for seed in (1, 2, 3)
    ),
    Row(
        name="import",
        what="import of `reporting`, with all that a cell imports",
        against="nothing",
        target=0.3,
        measured="benchmarks.rendering:imports",
    ),
    Row(
        name="render-memory",
        what="the most memory of a process of a render",
        against="nothing",
        target=400,
        measured="benchmarks.rendering:memory",
    ),
)
