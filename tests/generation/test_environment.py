"""What tells that memory is scarce, by the errors that libraries really raise."""

import pytest
import torch

from dataset_dm.generation.environment import lacks_memory


def test_torch_says_so_on_the_cpu_in_its_own_words() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert lacks_memory(caught.value)


@pytest.mark.parametrize(
    ("error", "scarce"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (MemoryError(), True),
        (RuntimeError("could not create a primitive"), True),  # oneDNN, measured with an address space of 600 MB
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("memory"), False),
    ],
)
def test_which_errors_are_about_memory(error: Exception, scarce: bool) -> None:
    assert lacks_memory(error) is scarce
