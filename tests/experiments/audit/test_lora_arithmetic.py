from experiments.audit.lora_arithmetic import lora_arithmetic
from tests.support.audit_worlds import SIZES


def test_the_briefs_adapter_is_counted_on_the_architecture_itself() -> None:
    sizes = lora_arithmetic()
    assert sizes == SIZES
    assert sizes.whole == 239_195_904 == 86_389_248 + sizes.gpt2 + sizes.cross_attention
    assert (sizes.named, sizes.c_attn) == (6_193_152, 2_064_384)
