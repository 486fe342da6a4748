"""The example kernels in Triton's Python, to be compiled or interpreted beside ours.

`triton_kernels.py compile NAME` compiles for sm_90 in this fresh process and prints, as JSON, the
milliseconds that Triton's assembler took. `triton_kernels.py interpret` runs softmax of 1024 by 1024
on Triton's interpreter and prints the milliseconds of the second run.
"""

import json
import os
import sys
import tempfile
import time

MODE = sys.argv[1]
os.environ["TRITON_CACHE_DIR"] = tempfile.mkdtemp(prefix="triton-cache-")
os.environ["TRITON_ALWAYS_COMPILE"] = "1"
if MODE == "interpret":
    os.environ["TRITON_INTERPRET"] = "1"

import triton
import triton.language as tl


@triton.jit
def softmax(x, y, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    j = tl.arange(0, BLOCK)
    live = j < cols
    v = tl.load(x + row * cols + j, mask=live, other=-float("inf"))
    e = tl.exp(v - tl.max(v, axis=0))
    tl.store(y + row * cols + j, e / tl.sum(e, axis=0), mask=live)


@triton.jit
def layer_norm(x, w, b, y, mean, rstd, cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    j = tl.arange(0, BLOCK)
    live = j < cols
    v = tl.load(x + row * cols + j, mask=live, other=0.0).to(tl.float32)
    mu = tl.sum(v, axis=0) / cols
    d = tl.where(live, v - mu, 0.0)
    inv = tl.rsqrt(tl.sum(d * d, axis=0) / cols + eps)
    tl.store(mean + row, mu)
    tl.store(rstd + row, inv)
    g = tl.load(w + j, mask=live, other=0.0).to(tl.float32)
    h = tl.load(b + j, mask=live, other=0.0).to(tl.float32)
    tl.store(y + row * cols + j, ((v - mu) * inv * g + h).to(y.dtype.element_ty), mask=live)


SIGNATURES = {
    "softmax": (
        softmax,
        dict(x="*fp32", y="*fp32", cols="i32", BLOCK="constexpr"),
        dict(BLOCK=1024),
        (0, 1, 2),
    ),
    "layer_norm": (
        layer_norm,
        dict(
            x="*bf16", w="*bf16", b="*bf16", y="*bf16", mean="*fp32", rstd="*fp32",
            cols="i32", eps="fp32", BLOCK="constexpr",
        ),
        dict(BLOCK=4096),
        (0, 1, 2, 3, 4, 5, 6),
    ),
}


def compile_one(name):
    from triton import knobs
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    stages = {}

    def listen(*, times, **_):
        stages.update(times.lowering_stages)

    knobs.compilation.listener = listen
    kernel, signature, constants, aligned = SIGNATURES[name]
    attributes = {(i,): [["tt.divisibility", 16]] for i in aligned}
    source = ASTSource(kernel, signature, constants, attributes)
    done = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=dict(num_warps=4))
    assert ".entry " + name in done.asm["ptx"]
    print(json.dumps({"assembler_ms": stages["cubin"] / 1e3, "version": triton.__version__}))


class Storage:
    """What Triton's interpreter asks of a tensor's memory."""

    def __init__(self, array):
        self.array = array

    def data_ptr(self):
        return self.array.ctypes.data

    def cpu(self):
        return self

    def copy_(self, other):
        pass


class Tensor:
    """A NumPy array with the few methods that Triton's interpreter asks of a tensor."""

    def __init__(self, array):
        self.array, self.dtype, self.shape = array, str(array.dtype), array.shape

    def data_ptr(self):
        return self.array.ctypes.data

    def untyped_storage(self):
        return Storage(self.array)

    def new_empty(self, size, device=None):
        return Tensor(self.array)

    def set_(self, *_):
        pass

    def storage_offset(self):
        return 0

    def size(self):
        return self.array.shape

    def stride(self, axis=None):
        return tuple(it // self.array.itemsize for it in self.array.strides)

    def element_size(self):
        return self.array.itemsize

    def cpu(self):
        return self


def interpret():
    import numpy as np

    x = np.random.default_rng(1).standard_normal((1024, 1024)).astype(np.float32)
    y = np.zeros_like(x)
    for _ in range(2):
        start = time.perf_counter()
        softmax[(1024,)](Tensor(x), Tensor(y), 1024, BLOCK=1024)
        took = time.perf_counter() - start
    e = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    assert np.abs(y - e / e.sum(axis=1, keepdims=True)).max() < 1e-6
    print(json.dumps({"run_ms": took * 1e3, "version": triton.__version__}))


if MODE == "compile":
    compile_one(sys.argv[2])
else:
    interpret()
